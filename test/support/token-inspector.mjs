/**
 * Looks at a token through pkcs11js, a binding that shares no code with ours, in a process of its own and with synchronous
 * calls only. Arguments: module path, token label, `inspect` or `steal`. The PIN comes on standard input. Prints JSON.
 * `inspect` lists every object with its attributes; `steal` tries what a thief of the PIN would try, on every secret and private key.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pkcs11js from 'pkcs11js';

const [modulePath, label, task, reserved] = process.argv.slice(2);
const pin = readFileSync(0, 'utf8').trim();
const p = new pkcs11js.PKCS11();
p.load(modulePath);
if (reserved === undefined) p.C_Initialize();
// pkcs11js cuts the last character of libraryParameters: one blank is sacrificed.
else p.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK, libraryParameters: `${reserved} ` });

const slot = p.C_GetSlotList(true).find((candidate) => p.C_GetTokenInfo(candidate).label.trim() === label);
if (slot === undefined) throw new Error(`no token labelled ${label}`);
const session = p.C_OpenSession(slot, pkcs11js.CKF_RW_SESSION | pkcs11js.CKF_SERIAL_SESSION);
p.C_Login(session, pkcs11js.CKU_USER, pin);

const FLAGS = [
  'TOKEN',
  'PRIVATE',
  'SENSITIVE',
  'EXTRACTABLE',
  'ALWAYS_SENSITIVE',
  'NEVER_EXTRACTABLE',
  'LOCAL',
  'TRUSTED',
  'WRAP_WITH_TRUSTED',
  'MODIFIABLE',
  'ENCRYPT',
  'DECRYPT',
  'SIGN',
  'VERIFY',
  'WRAP',
  'UNWRAP',
  'DERIVE',
];

function readAttribute(object, type) {
  try {
    return p.C_GetAttributeValue(session, object, [{ type }])[0].value;
  } catch {
    return undefined;
  }
}

function describe(object) {
  const described = {
    label: readAttribute(object, pkcs11js.CKA_LABEL)?.toString('utf8'),
    id: readAttribute(object, pkcs11js.CKA_ID)?.toString('hex'),
  };
  described.class = readAttribute(object, pkcs11js.CKA_CLASS)?.readUInt32LE(0);
  described.keyType = readAttribute(object, pkcs11js.CKA_KEY_TYPE)?.readUInt32LE(0);
  for (const flag of FLAGS) {
    const value = readAttribute(object, pkcs11js[`CKA_${flag}`]);
    if (value !== undefined && value.length > 0) described[flag] = value[0] === 1;
  }
  const secrets = [pkcs11js.CKA_VALUE, pkcs11js.CKA_PRIVATE_EXPONENT, pkcs11js.CKA_PRIME_1];
  described.valueReadable = secrets.some((type) => (readAttribute(object, type)?.length ?? 0) > 0);
  return described;
}

function allObjects() {
  p.C_FindObjectsInit(session, []);
  const objects = p.C_FindObjects(session, 100_000);
  p.C_FindObjectsFinal(session);
  return objects;
}

function attempt(name, act) {
  try {
    return { attempt: name, succeeded: act() === true };
  } catch (error) {
    return { attempt: name, succeeded: false, code: error.code ?? String(error.message) };
  }
}

const READABLE = [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
  { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
  { type: pkcs11js.CKA_TOKEN, value: false },
  { type: pkcs11js.CKA_SENSITIVE, value: false },
  { type: pkcs11js.CKA_EXTRACTABLE, value: true },
];

function ownWrappingKey() {
  return p.C_GenerateKey(session, { mechanism: pkcs11js.CKM_AES_KEY_GEN }, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
    { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
    { type: pkcs11js.CKA_TOKEN, value: false },
    { type: pkcs11js.CKA_VALUE_LEN, value: 32 },
    { type: pkcs11js.CKA_WRAP, value: true },
    { type: pkcs11js.CKA_UNWRAP, value: true },
    { type: pkcs11js.CKA_DECRYPT, value: true },
    { type: pkcs11js.CKA_ENCRYPT, value: true },
  ]);
}

/** What a thief of the PIN could try on one key; each attempt succeeds only if key bytes come out or become readable. */
function steal(object) {
  const mine = ownWrappingKey();
  const wrap = (mechanism, parameter) => () => p.C_WrapKey(session, { mechanism, parameter }, mine, object, Buffer.alloc(4096)).length > 0;
  const attempts = [
    attempt('read CKA_VALUE', () => describe(object).valueReadable),
    attempt('set SENSITIVE false', () => {
      p.C_SetAttributeValue(session, object, [{ type: pkcs11js.CKA_SENSITIVE, value: false }]);
      return true;
    }),
    attempt('set EXTRACTABLE true', () => {
      p.C_SetAttributeValue(session, object, [{ type: pkcs11js.CKA_EXTRACTABLE, value: true }]);
      return true;
    }),
    attempt('copy as EXTRACTABLE', () => {
      const copy = p.C_CopyObject(session, object, [
        { type: pkcs11js.CKA_TOKEN, value: false },
        { type: pkcs11js.CKA_EXTRACTABLE, value: true },
      ]);
      return readAttribute(copy, pkcs11js.CKA_EXTRACTABLE)?.[0] === 1;
    }),
    attempt('copy as not SENSITIVE', () => {
      const copy = p.C_CopyObject(session, object, [
        { type: pkcs11js.CKA_TOKEN, value: false },
        { type: pkcs11js.CKA_SENSITIVE, value: false },
      ]);
      return readAttribute(copy, pkcs11js.CKA_SENSITIVE)?.[0] === 0;
    }),
    attempt('wrap with AES-KEY-WRAP', wrap(0x2109)),
    attempt('wrap with AES-KEY-WRAP-PAD', wrap(0x210a)),
    attempt('wrap with AES-KEY-WRAP-KWP', wrap(0x210b)),
    attempt('wrap with AES-CBC', wrap(pkcs11js.CKM_AES_CBC, randomBytes(16))),
    attempt('wrap with AES-CBC-PAD', wrap(pkcs11js.CKM_AES_CBC_PAD, randomBytes(16))),
    attempt('encrypt with the key itself', () => {
      p.C_EncryptInit(session, { mechanism: pkcs11js.CKM_AES_ECB }, object);
      return p.C_Encrypt(session, Buffer.alloc(16), Buffer.alloc(32)).length > 0;
    }),
    attempt('derive a readable key', () => {
      const derived = p.C_DeriveKey(
        session,
        {
          mechanism: pkcs11js.CKM_AES_CBC_ENCRYPT_DATA,
          parameter: { type: pkcs11js.CK_PARAMS_AES_CBC, iv: Buffer.alloc(16), data: Buffer.alloc(32, 7) },
        },
        object,
        [...READABLE, { type: pkcs11js.CKA_VALUE_LEN, value: 32 }],
      );
      return (readAttribute(derived, pkcs11js.CKA_VALUE)?.length ?? 0) > 0;
    }),
  ];
  return attempts;
}

const objects = allObjects().map((object) => ({ object, described: describe(object) }));
const report =
  task === 'inspect'
    ? objects.map(({ described }) => described)
    : objects
        .filter(({ described }) => [pkcs11js.CKO_SECRET_KEY, pkcs11js.CKO_PRIVATE_KEY].includes(described.class))
        .map(({ object, described }) => ({ ...described, attempts: steal(object) }));
process.stdout.write(JSON.stringify(report));
