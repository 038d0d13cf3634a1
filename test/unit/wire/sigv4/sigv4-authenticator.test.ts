import { hash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KmsError } from '../../../../src/errors.ts';
import type { Caller } from '../../../../src/kms.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';
import type { Authenticator } from '../../../../src/wire/authenticator.ts';
import { readHead } from '../../../../src/wire/request-head.ts';
import { deriveSigningKey } from '../../../../src/wire/sigv4/signing-keys.ts';
import { sigv4Authenticator } from '../../../../src/wire/sigv4/sigv4-authenticator.ts';
import { canonicalRequest, stringToSign } from '../../../../src/wire/sigv4/string-to-sign.ts';
import { type SignOptions, StillClock, type TestCredential, newCredential, rawHeadersOf, signedHeaders } from '../../../support/wire.ts';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const BODY = '{"KeyId":"alias/mykey"}';
const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
const UNKNOWN = 'The security token included in the request is invalid.';

function authenticatorOf(...credentials: TestCredential[]): Authenticator {
  return sigv4Authenticator({
    credentials: { find: (id) => credentials.find(({ accessKeyId }) => accessKeyId === id) },
    clock: new StillClock(NOW),
    regions: new Set(['eu-central-1', 'cn-north-1', 'us-gov-west-1']),
  });
}

function present(authenticator: Authenticator, headers: Record<string, string>, body: string = BODY, target = '/'): Caller {
  return authenticator.authenticate({
    head: readHead('POST', target, rawHeadersOf(headers)),
    body: Buffer.from(body),
    connection: { sourceAddress: '192.0.2.7', secureTransport: true },
    requestId: 'a-request',
  });
}

function refusal(attempt: () => unknown): [string, string | undefined] {
  try {
    attempt();
  } catch (error) {
    if (error instanceof KmsError) return [error.code, error.publicMessage];
    throw error;
  }
  throw new Error('was accepted');
}

const alice = newCredential();
const sign = (options: Partial<SignOptions> = {}): Promise<Record<string, string>> =>
  signedHeaders({ credential: alice, atMs: NOW, body: BODY, ...options });

describe('authentication by Signature Version 4', () => {
  it('knows the caller of a request that a foreign signer signed', async () => {
    expect(present(authenticatorOf(alice), await sign({ headers: { 'user-agent': 'aws-cli/2' } }))).toEqual({
      principalArn: alice.principalArn,
      accessKeyId: alice.accessKeyId,
      partition: 'aws',
      account: '111122223333',
      region: 'eu-central-1',
      sourceAddress: '192.0.2.7',
      userAgent: 'aws-cli/2',
      secureTransport: true,
      requestId: 'a-request',
    });
  });

  it.each(['cn-north-1', 'us-gov-west-1'])('knows the partition of %s', async (region) => {
    const partition = region.startsWith('cn') ? 'aws-cn' : 'aws-us-gov';
    const credential = newCredential({ partition });
    expect(present(authenticatorOf(credential), await sign({ credential, region })).partition).toBe(partition);
  });

  it('refuses a credential of one partition in another', async () => {
    const headers = await sign({ region: 'cn-north-1' });
    expect(refusal(() => present(authenticatorOf(alice), headers))).toEqual(['UnrecognizedClientException', UNKNOWN]);
  });

  it('accepts blanks in header values as the signer folds them, and a signed query', async () => {
    const headers = await sign({ headers: { 'x-amz-note': '  two   words ' }, query: { b: 'x y', a: '~' } });
    expect(present(authenticatorOf(alice), headers, BODY, '/?b=x%20y&a=%7E').account).toBe('111122223333');
  });

  it('takes the time from a signed Date header where there is no X-Amz-Date', () => {
    const headers = { 'content-type': 'application/x-amz-json-1.1', date: 'Mon, 23 Nov 2026 12:00:00 GMT', host: '127.0.0.1' };
    const scope = { day: '20261123', region: 'eu-central-1', service: 'kms' };
    const names = Object.keys(headers);
    const authorizationOf = (signed: string[]): string => {
      const canonical = canonicalRequest(readHead('POST', '/', rawHeadersOf(headers)), signed, hash('sha256', BODY));
      const signature = alice.secret.expose((secret) =>
        deriveSigningKey(secret, scope).mac(stringToSign(canonical, '20261123T120000Z', scope)),
      );
      const credential = `${alice.accessKeyId}/20261123/eu-central-1/kms/aws4_request`;
      return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed.join(';')}, Signature=${signature.toString('hex')}`;
    };
    expect(present(authenticatorOf(alice), { ...headers, authorization: authorizationOf(names) }).account).toBe('111122223333');
    const unsigned = { ...headers, authorization: authorizationOf(['content-type', 'host']) };
    expect(refusal(() => present(authenticatorOf(alice), unsigned)).at(1)).toBe(
      "'date' must be a 'SignedHeader' in the AWS Authorization.",
    );
  });

  it.each<[string, (headers: Record<string, string>) => Record<string, string>, string]>([
    ['body', (headers) => headers, `${BODY} `],
    ['target', (headers) => ({ ...headers, 'x-amz-target': 'TrentService.Decrypt' }), BODY],
    ['host', (headers) => ({ ...headers, host: 'localhost' }), BODY],
    ['time', (headers) => ({ ...headers, 'x-amz-date': '20261123T120001Z' }), BODY],
    ['declared body hash', (headers) => ({ ...headers, 'x-amz-content-sha256': '0'.repeat(64) }), BODY],
    ['last digit of the signature', (headers) => ({ ...headers, authorization: flipped(headers['authorization']!) }), BODY],
    ['length of the signature', (headers) => ({ ...headers, authorization: headers['authorization']!.slice(0, -1) }), BODY],
  ])('refuses a request whose %s was changed on the way', async (_what, change, body) => {
    const headers = change(await sign());
    expect(refusal(() => present(authenticatorOf(alice), headers, body))).toEqual(['InvalidSignatureException', MISMATCH]);
  });

  it.each(['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'])('refuses a body that is signed only as %s', async (marker) => {
    const headers = await sign({ headers: { 'x-amz-content-sha256': marker } });
    expect(refusal(() => present(authenticatorOf(alice), headers))).toEqual(['InvalidSignatureException', MISMATCH]);
  });

  it('refuses a wrong secret, and an access key that does not exist', async () => {
    const stranger = newCredential();
    const impostor = { accessKeyId: alice.accessKeyId, secretText: stranger.secretText };
    const wrongSecret = await sign({ credential: impostor });
    const unknownKey = await sign({ credential: stranger });
    expect(refusal(() => present(authenticatorOf(alice), wrongSecret))).toEqual(['InvalidSignatureException', MISMATCH]);
    expect(refusal(() => present(authenticatorOf(alice), unknownKey))).toEqual(['UnrecognizedClientException', UNKNOWN]);
  });

  it('forgets the signing key of a secret that was replaced', async () => {
    const credentials = [alice];
    const authenticator = sigv4Authenticator({ credentials: { find: () => credentials[0] }, clock: new StillClock(NOW) });
    const old = await sign();
    expect(present(authenticator, old).accessKeyId).toBe(alice.accessKeyId);
    const successor = { ...newCredential(), accessKeyId: alice.accessKeyId };
    credentials[0] = successor;
    expect(refusal(() => present(authenticator, old))).toEqual(['InvalidSignatureException', MISMATCH]);
    const renewed = await sign({ credential: successor });
    expect(present(authenticator, renewed).accessKeyId).toBe(alice.accessKeyId);
  });

  it('asks temporary credentials for exactly their session token, and others for none', async () => {
    const token = randomBytes(30).toString('base64');
    const temporary = newCredential({ sessionToken: SecretBytes.fromText(token) });
    const right = await sign({ credential: temporary, sessionToken: token });
    expect(present(authenticatorOf(temporary), right).accessKeyId).toBe(temporary.accessKeyId);
    for (const options of [{ credential: temporary }, { credential: temporary, sessionToken: 'another' }, { sessionToken: token }]) {
      const headers = await sign(options);
      expect(refusal(() => present(authenticatorOf(alice, temporary), headers))).toEqual(['UnrecognizedClientException', UNKNOWN]);
    }
  });

  it.each<[string, Partial<SignOptions>, string]>([
    ['a Region that is not served', { region: 'eu-west-9' }, 'Credential should be scoped to a valid region.'],
    ['another service', { service: 's3' }, "Credential should be scoped to correct service: 'kms'."],
    [
      'a time too early',
      { atMs: NOW - 301_000 },
      'Signature expired: 20261123T115459Z is now earlier than 20261123T115500Z (20261123T120000Z - 5 min.)',
    ],
    [
      'a time too late',
      { atMs: NOW + 301_000 },
      'Signature not yet current: 20261123T120501Z is still later than 20261123T120500Z (20261123T120000Z + 5 min.)',
    ],
  ])('refuses %s', async (_what, options, message) => {
    const headers = await sign(options);
    expect(refusal(() => present(authenticatorOf(alice), headers))).toEqual(['InvalidSignatureException', message]);
  });

  it.each([
    ['aws4_request', 'aws5_request', "Credential should be scoped with a valid terminator: 'aws4_request'."],
    ['/20261123/', '/20261122/', 'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.'],
  ])('refuses a scope with %s replaced by %s', async (found, replacement, message) => {
    const headers = await sign();
    headers['authorization'] = headers['authorization']!.replace(found, replacement);
    expect(refusal(() => present(authenticatorOf(alice), headers))).toEqual(['InvalidSignatureException', message]);
  });

  it.each(['content-type', 'x-amz-date', 'x-amz-target', 'x-amz-content-sha256'])(
    'refuses a request that does not sign %s',
    async (name) => {
      const headers = await sign();
      headers['authorization'] = headers['authorization']!.replace(new RegExp(`${name};?`), '').replace(';,', ',');
      const message = `'${name}' must be a 'SignedHeader' in the AWS Authorization.`;
      expect(refusal(() => present(authenticatorOf(alice), headers))).toEqual(['InvalidSignatureException', message]);
    },
  );

  it('refuses a request that does not sign its host, an x-amz header added on the way, and an unsorted list', async () => {
    const headers = await sign();
    const authorization = headers['authorization']!;
    const attempts: [Record<string, string>, string][] = [
      [
        { ...headers, authorization: authorization.replace('host;', '') },
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
      ],
      [{ ...headers, 'x-amz-meta': '1' }, "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization."],
      [{ ...headers, authorization: authorization.replace('content-type;host', 'host;content-type') }, MISMATCH],
      [{ ...headers, authorization: authorization.replace('host;', 'host;host;') }, MISMATCH],
    ];
    for (const [attempt, message] of attempts) {
      expect(refusal(() => present(authenticatorOf(alice), attempt))).toEqual(['InvalidSignatureException', message]);
    }
  });

  it('refuses no signature, and says where one belongs when it is in the query', () => {
    const headers = { host: '127.0.0.1', 'content-type': 'application/x-amz-json-1.1' };
    expect(refusal(() => present(authenticatorOf(alice), headers))).toEqual([
      'MissingAuthenticationTokenException',
      'Missing Authentication Token',
    ]);
    expect(refusal(() => present(authenticatorOf(alice), headers, BODY, '/?X-Amz-Signature=00'))).toEqual([
      'MissingAuthenticationTokenException',
      'Missing Authentication Token. A signature in the query string is not accepted: sign in the Authorization header.',
    ]);
  });
});

function flipped(authorization: string): string {
  return authorization.slice(0, -1) + (authorization.endsWith('0') ? '1' : '0');
}
