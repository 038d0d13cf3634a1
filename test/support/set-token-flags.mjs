/**
 * Sets boolean attributes of the secret or private key of a label, through pkcs11js. Arguments: module path, token label, JSON of the key's
 * `label` and the `flags` by their names without CKA_. The PIN comes on standard input.
 */
import { readFileSync } from 'node:fs';
import pkcs11js from 'pkcs11js';

const [modulePath, tokenLabel, wanted] = process.argv.slice(2);
const { label, id, flags } = JSON.parse(wanted);
const pin = readFileSync(0, 'utf8').trim();
const p = new pkcs11js.PKCS11();
p.load(modulePath);
p.C_Initialize();
const slot = p.C_GetSlotList(true).find((candidate) => p.C_GetTokenInfo(candidate).label.trim() === tokenLabel);
const session = p.C_OpenSession(slot, pkcs11js.CKF_RW_SESSION | pkcs11js.CKF_SERIAL_SESSION);
p.C_Login(session, pkcs11js.CKU_USER, pin);

for (const keyClass of [pkcs11js.CKO_SECRET_KEY, pkcs11js.CKO_PRIVATE_KEY]) {
  p.C_FindObjectsInit(session, [
    { type: pkcs11js.CKA_CLASS, value: keyClass },
    { type: pkcs11js.CKA_LABEL, value: label },
    { type: pkcs11js.CKA_ID, value: Buffer.from(id, 'hex') },
  ]);
  const found = p.C_FindObjects(session, 10);
  p.C_FindObjectsFinal(session);
  const attributes = Object.entries(flags).map(([name, value]) => ({ type: pkcs11js[`CKA_${name}`], value }));
  for (const object of found) p.C_SetAttributeValue(session, object, attributes);
}
