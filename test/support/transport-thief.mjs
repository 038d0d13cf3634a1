/**
 * What a thief of the user PIN tries on a token with transport keys, through pkcs11js alone. Arguments: module path, token label; the PIN
 * comes on standard input. Prints JSON: for each material that can travel and each attempt, whether key bytes came out, could be made to,
 * or could leave under a key of the thief's.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pkcs11js from 'pkcs11js';

const [modulePath, label] = process.argv.slice(2);
const p = new pkcs11js.PKCS11();
p.load(modulePath);
p.C_Initialize();
const slot = p.C_GetSlotList(true).find((candidate) => p.C_GetTokenInfo(candidate).label.trim() === label);
const session = p.C_OpenSession(slot, pkcs11js.CKF_RW_SESSION | pkcs11js.CKF_SERIAL_SESSION);
p.C_Login(session, pkcs11js.CKU_USER, readFileSync(0, 'utf8').trim());

const WRAP_WITH_TRUSTED = 0x210;
const KEY_WRAP_PAD = 0x210a;
const secretKey = { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY };
const flag = (type, value) => ({ type, value });
const isSet = (object, type) => p.C_GetAttributeValue(session, object, [{ type }])[0].value[0] === 1;

function find(template) {
  p.C_FindObjectsInit(session, template);
  const objects = p.C_FindObjects(session, 100);
  p.C_FindObjectsFinal(session);
  return objects;
}

const named = (text) => find([secretKey, { type: pkcs11js.CKA_LABEL, value: text }])[0];
const transport = named('hsm-kms transport key');
const trusted = [transport, named('hsm-kms wrapping key')];
const mine = p.C_GenerateKey(session, { mechanism: pkcs11js.CKM_AES_KEY_GEN }, [
  secretKey,
  { type: pkcs11js.CKA_VALUE_LEN, value: 32 },
  ...['WRAP', 'UNWRAP', 'ENCRYPT', 'DECRYPT'].map((name) => flag(pkcs11js[`CKA_${name}`], true)),
]);
const wrap = (by, object, mechanism = KEY_WRAP_PAD, parameter) =>
  p.C_WrapKey(session, { mechanism, parameter }, by, object, Buffer.alloc(4096));

/** True when `act` gives a key that the thief can take out. */
function gains(act) {
  try {
    const object = act();
    if (!isSet(object, pkcs11js.CKA_SENSITIVE)) return true;
    return wrap(mine, object).length > 0;
  } catch {
    return false;
  }
}

function succeeds(act) {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

function unwrapped(by, object, ...more) {
  const template = [secretKey, { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES }, flag(pkcs11js.CKA_TOKEN, false), ...more];
  return p.C_UnwrapKey(session, { mechanism: KEY_WRAP_PAD }, by, wrap(by, object), template);
}

const readable = [flag(pkcs11js.CKA_SENSITIVE, false), flag(pkcs11js.CKA_EXTRACTABLE, true)];
const free = [flag(pkcs11js.CKA_EXTRACTABLE, true), flag(WRAP_WITH_TRUSTED, false)];
const attempts = {
  'wrap it under a key of his': (object) => succeeds(() => wrap(mine, object)),
  'copy it free to leave': (object) =>
    gains(() => p.C_CopyObject(session, object, [flag(pkcs11js.CKA_TOKEN, false), flag(WRAP_WITH_TRUSTED, false)])),
  'set it free to leave': (object) => succeeds(() => p.C_SetAttributeValue(session, object, [flag(WRAP_WITH_TRUSTED, false)])),
  'unwrap it readable': (object) => trusted.some((by) => gains(() => unwrapped(by, object, ...readable))),
  'unwrap it free to leave': (object) => trusted.some((by) => gains(() => unwrapped(by, object, ...free))),
  'unwrap it as it comes': (object) => trusted.some((by) => gains(() => unwrapped(by, object, flag(pkcs11js.CKA_EXTRACTABLE, true)))),
  'wrap it without integrity': (object) =>
    [pkcs11js.CKM_AES_CBC, pkcs11js.CKM_AES_CBC_PAD].some((mode) => succeeds(() => wrap(transport, object, mode, randomBytes(16)))),
};
const attemptsOnTransportKey = {
  'wrap the transport key under a key of his': () => succeeds(() => wrap(mine, transport)),
  'wrap the transport key under a trusted key': () => trusted.some((by) => succeeds(() => wrap(by, transport))),
  'make the transport key decrypt': () => succeeds(() => p.C_SetAttributeValue(session, transport, [flag(pkcs11js.CKA_DECRYPT, true)])),
  'copy the transport key': () => succeeds(() => p.C_CopyObject(session, transport, [flag(pkcs11js.CKA_TOKEN, false)])),
  'mark a key of his as trusted': () => succeeds(() => p.C_SetAttributeValue(session, mine, [flag(pkcs11js.CKA_TRUSTED, true)])),
};

const materials = find([secretKey, flag(pkcs11js.CKA_TOKEN, true), flag(WRAP_WITH_TRUSTED, true)]);
const gained = [
  ...materials.flatMap((object) => Object.entries(attempts).map(([name, act]) => [name, act(object)])),
  ...Object.entries(attemptsOnTransportKey).map(([name, act]) => [name, act()]),
];
// Without this nothing would be known: the thief does reach the material, and the transport key does work for him.
const isReached = materials.every((object) =>
  succeeds(() => unwrapped(transport, object, flag(pkcs11js.CKA_EXTRACTABLE, true), flag(pkcs11js.CKA_SENSITIVE, true), flag(WRAP_WITH_TRUSTED, true))),
);
const report = { materials: materials.length, isReached, attempts: gained.length };
process.stdout.write(JSON.stringify({ ...report, gained: gained.filter(([, isGained]) => isGained).map(([name]) => name) }));
