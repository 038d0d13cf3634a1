/** Random PINs and access keys, in the forms that tokens and the AWS CLI take. */
import { randomBytes, randomInt } from 'node:crypto';

const pinBytes = 16;
const secretBytes = 30;
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const accessKeyIdRandomLength = 16;

/** 32 hexadecimal digits: 128 bits, within the 4 to 32 characters that many tokens take. */
export function randomPin(): string {
  return randomBytes(pinBytes).toString('hex');
}

/** An access key id in the form of a long-term one. */
export function randomAccessKeyId(): string {
  return `AKIA${Array.from({ length: accessKeyIdRandomLength }, () => base32[randomInt(base32.length)]).join('')}`;
}

/** 40 characters, 240 bits. Letters and digits and `-_` only, so that it pastes anywhere. */
export function randomSecretAccessKey(): string {
  return randomBytes(secretBytes).toString('base64url');
}
