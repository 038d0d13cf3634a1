/** Commands byte for byte as tpm2-tools 5.4 sent them to a TPM, apart from nonces; answers as that TPM gave them. */
import { expect, test } from 'vitest';
import { SecretBytes } from '../../../src/secret-bytes.ts';
import { emptyPassword } from '../../../src/tpm/authorization.ts';
import { createPrimary, createSealed, flushContext, getProperty, pcrRead, policyPcr, startAuthSession } from '../../../src/tpm/commands.ts';
import { TpmConnection } from '../../../src/tpm/connection.ts';
import { pcrPolicy } from '../../../src/tpm/pcr-values.ts';
import { entityOfHandle, nameOfPublic } from '../../../src/tpm/structures.ts';
import { scriptedTpm } from '../../support/scripted-tpm.ts';

const zeros = '00'.repeat(32);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
/** `tpm2_policypcr -l sha256:0,7` where both PCRs are zero. */
const policyOfZeros = '02e3642b3e29eeccfffd8031c00a6f0a0febe5ceea2f6ef6b0322fe81598cf31';
const primaryPublic =
  '0023000b0003047200000006008000430010000300100020a9164b37218b163e4537cda32a97e88fa33804d2dc406b60988298f9454096ce00200b6409d3a36f7f76f2ef8b2dee91f5c084fb2bd135868bfc76570477a56d3fc2';
const primaryName = '000bec499dc953f8a48205221f0cd89609c2b11a696eed293ad4bb75b732da6afbae';
/** A TPM2B. */
const sized = (text: string): string => (text.length / 2).toString(16).padStart(4, '0') + text;
const uint32 = (value: number): string => value.toString(16).padStart(8, '0');
/** A successful answer to a command that the empty password authorised. */
const answerWithSession = (handle: string, parameters: string): string => {
  const body = `00000000${handle}${uint32(parameters.length / 2)}${parameters}0000010000`;
  return `8002${uint32(body.length / 2 + 6)}${body}`;
};
/** Its size, TPM_RS_PW, no nonce, continueSession, no password. */
const passwordArea = '00000009400000090000010000';

test('PCR_Read', async () => {
  const answer = `800100000060000000000000001400000001000b03810000000000020020${zeros}0020${zeros}`;
  const tpm = scriptedTpm(answer);
  const read = await new TpmConnection(tpm).run(pcrRead([0, 7]));
  expect(tpm.commands).toEqual(['8001000000140000017e00000001000b03810000']);
  expect(read).toMatchObject({ updateCounter: 20, pcrs: [0, 7] });
  expect(read.values.map(hex)).toEqual([zeros, zeros]);
});

test('StartAuthSession with a policy', async () => {
  const tpm = scriptedTpm('80010000003000000000030000000020c45488872c986df2cb33160cce8cdcdf050887e03ef6ef2a0c5b82fc73c8e2fc');
  const nonce = Buffer.from('0d4087ffe317a006f3a7cc44a08b9fc44c3718e098f9bca3067fa6b5c5b7d904', 'hex');
  const command = startAuthSession(entityOfHandle(0x4000_0007), { type: 'policy', nonce, encryptedSalt: new Uint8Array() });
  const started = await new TpmConnection(tpm).run(command);
  // tpm2-tools asks for no encryption: TPM_ALG_NULL (0010) where AES-128-CFB stands here.
  expect(tpm.commands).toEqual([`80010000003f0000017640000007400000070020${hex(nonce)}000001000600800043000b`]);
  expect(started.handle).toBe(0x0300_0000);
  expect(hex(started.nonce)).toBe('c45488872c986df2cb33160cce8cdcdf050887e03ef6ef2a0c5b82fc73c8e2fc');
});

test('PolicyPCR, whose policy is computed here as the TPM computes it', async () => {
  const tpm = scriptedTpm('80010000000a00000000');
  await new TpmConnection(tpm).run(policyPcr(0x0300_0000, [0, 7]));
  // tpm2-tools gives the expected digest of the PCRs, which may be left empty.
  expect(tpm.commands).toEqual(['80010000001a0000017f03000000000000000001000b03810000']);
  const value = new Uint8Array(32);
  expect(
    hex(
      pcrPolicy(
        new Map([
          [0, value],
          [7, value],
        ]),
      ),
    ),
  ).toBe(policyOfZeros);
  expect(pcrPolicy(new Map())).toBeUndefined();
});

test('CreatePrimary, and the Name of what it makes', async () => {
  const creationData = '000000000020e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85501001000044000000100044000000100000000';
  const creation = `${sized(creationData)}${sized(zeros)}802140000001${sized('')}`;
  const parameters = `${sized(primaryPublic)}${creation}${sized(primaryName)}`;
  const tpm = scriptedTpm(answerWithSession('80000000', parameters));
  const made = await new TpmConnection(tpm).run(createPrimary, emptyPassword);
  const template = '0023000b00030472000000060080004300100003001000000000';
  const asked = `${sized('00000000')}${sized(template)}${sized('')}00000000`;
  expect(tpm.commands).toEqual([`8002000000430000013140000001${passwordArea}${asked}`]);
  expect(made.handle).toBe(0x8000_0000);
  expect(hex(made.publicArea)).toBe(primaryPublic);
  expect(hex(made.name)).toBe(primaryName);
  expect(hex(nameOfPublic(Buffer.from(primaryPublic, 'hex')))).toBe(primaryName);
});

test('Create of a sealed object', async () => {
  const tpm = scriptedTpm('80010000000a00000184');
  const secret = SecretBytes.fromText('not a secret');
  const command = createSealed(entityOfHandle(0x8000_0000), secret, Buffer.from(policyOfZeros, 'hex'));
  await expect(new TpmConnection(tpm).run(command, emptyPassword)).rejects.toMatchObject({ responseCode: 'TPM_RC_VALUE' });
  const sensitive = sized(sized('') + sized(hex(Buffer.from('not a secret'))));
  const area = sized(`0008000b00000492${sized(policyOfZeros)}0010${sized('')}`);
  expect(tpm.commands).toEqual([`8002000000630000015380000000${passwordArea}${sensitive}${area}${sized('')}00000000`]);
});

test('FlushContext and GetCapability', async () => {
  const tpm = scriptedTpm('80010000000a00000000', '80010000001b000000000100000006000000010000010549424d00');
  const connection = new TpmConnection(tpm);
  await connection.run(flushContext(0x8000_0000));
  expect(await connection.run(getProperty(0x105))).toBe(0x4942_4d00);
  expect(tpm.commands).toEqual(['80010000000e0000016580000000', '8001000000160000017a000000060000010500000001']);
});
