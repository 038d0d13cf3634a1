// Initialises the first free slot of a PKCS#11 module as a token. Reads {module, label, pin, soPin} as JSON from standard input and prints the
// serial number. A process of its own, because the module reads its configuration from the environment at start.
import { readFileSync } from 'node:fs';
import pkcs11js from 'pkcs11js';

const { module, label, pin, soPin } = JSON.parse(readFileSync(0, 'utf8'));
const library = new pkcs11js.PKCS11();
library.load(module);
library.C_Initialize();

const slot = library.C_GetSlotList(false)[0];
library.C_InitToken(slot, soPin, label.padEnd(32));
const initialised = library.C_GetSlotList(true).find((candidate) => library.C_GetTokenInfo(candidate).label.trim() === label);
const session = library.C_OpenSession(initialised, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION);
library.C_Login(session, pkcs11js.CKU_SO, soPin);
library.C_InitPIN(session, pin);
library.C_Logout(session);
process.stdout.write(`${library.C_GetTokenInfo(initialised).serialNumber.trim()}\n`);
library.C_Finalize();
