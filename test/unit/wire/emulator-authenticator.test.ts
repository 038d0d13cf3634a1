import { describe, expect, it } from 'vitest';
import { KmsError } from '../../../src/errors.ts';
import type { Caller } from '../../../src/kms.ts';
import { emulatorAuthenticator } from '../../../src/wire/emulator-authenticator.ts';
import { readHead } from '../../../src/wire/request-head.ts';
import { rawHeadersOf } from '../../support/wire.ts';

const good = (accessKeyId = 'test', region = 'eu-central-1'): Record<string, string> => ({
  host: 'localhost:4599',
  'content-type': 'application/x-amz-json-1.1',
  authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261123/${region}/kms/aws4_request, SignedHeaders=host, Signature=0`,
});

function present(headers: Record<string, string>, regions?: ReadonlySet<string>): Caller {
  return emulatorAuthenticator(regions).authenticate({
    head: readHead('POST', '/', rawHeadersOf(headers)),
    body: new Uint8Array(0),
    connection: { sourceAddress: '127.0.0.1', secureTransport: false },
    requestId: 'a-request',
  });
}

function refusal(headers: Record<string, string>, regions?: ReadonlySet<string>): [string, string | undefined] {
  try {
    present(headers, regions);
  } catch (error) {
    if (error instanceof KmsError) return [error.code, error.publicMessage];
    throw error;
  }
  throw new Error('was accepted');
}

describe('the emulator’s authentication', () => {
  it('is for this machine only', () => {
    expect(emulatorAuthenticator().loopbackOnly).toBe(true);
  });

  it.each([
    ['111122223333', 'us-east-1', '111122223333', 'aws'],
    ['AKIAEXAMPLE', 'cn-north-1', '000000000000', 'aws-cn'],
    ['1111222233334', 'us-gov-east-1', '000000000000', 'aws-us-gov'],
  ])('takes %s in %s for account %s of %s', (accessKeyId, region, account, partition) => {
    expect(present(good(accessKeyId, region))).toMatchObject({
      accessKeyId,
      account,
      region,
      partition,
      principalArn: `arn:${partition}:iam::${account}:root`,
    });
  });

  it.each(['localhost', 'LOCALHOST:1', '127.0.0.1:4599', '127.8.9.10', '[::1]:4599'])('serves the host %s', (host) => {
    expect(present({ ...good(), host }).region).toBe('eu-central-1');
  });

  it.each(['attacker.example', 'localhost.attacker.example', '127.0.0.1.attacker.example:4599', '192.0.2.1', 'localhost:4599@x', ''])(
    'refuses the host %j, which DNS rebinding could have led here',
    (host) => {
      expect(refusal({ ...good(), host })).toEqual([
        'AccessDeniedException',
        'This endpoint runs with auth: emulator, and the Host header must name this machine: localhost, 127.0.0.1 or [::1].',
      ]);
    },
  );

  it.each([
    { origin: 'https://attacker.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-mode': 'no-cors' },
  ])('refuses what only a browser sends: %j', (extra) => {
    expect(refusal({ ...good(), ...extra })).toEqual([
      'AccessDeniedException',
      'This endpoint runs with auth: emulator, and requests from web pages are refused.',
    ]);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json'])(
    'refuses the content type %s, which a form could send',
    (type) => {
      expect(refusal({ ...good(), 'content-type': type }).at(1)).toContain('the Content-Type must be application/x-amz-json-1.1');
    },
  );

  it('asks for a credential all the same, because the Region is in it', () => {
    const { authorization: _, ...anonymous } = good();
    expect(refusal(anonymous)[0]).toBe('MissingAuthenticationTokenException');
    expect(refusal({ ...good(), authorization: 'Bearer x' })[0]).toBe('IncompleteSignatureException');
    expect(refusal(good('test', '..'))).toEqual(['InvalidSignatureException', 'Credential should be scoped to a valid region.']);
    expect(refusal(good('test', 'eu-west-1'), new Set(['eu-central-1']))[0]).toBe('InvalidSignatureException');
  });
});
