import { describe, expect, it } from 'vitest';
import { KmsError, type KmsErrorCode } from '../../../src/errors.ts';
import { errorReply } from '../../../src/wire/error-response.ts';

describe('the reply to an error', () => {
  it.each<[KmsErrorCode, number]>([
    ['NotFoundException', 400],
    ['AccessDeniedException', 400],
    ['DisabledException', 400],
    ['KMSInvalidStateException', 400],
    ['DryRunOperationException', 400],
    ['AlreadyExistsException', 400],
    ['ThrottlingException', 400],
    ['LimitExceededException', 400],
    ['UnknownOperationException', 400],
    ['SerializationException', 400],
    ['ValidationException', 400],
    ['InvalidSignatureException', 400],
    ['IncompleteSignatureException', 400],
    ['MissingAuthenticationTokenException', 400],
    ['UnrecognizedClientException', 400],
    ['ExpiredTokenException', 400],
    ['MalformedHttpRequestException', 400],
    ['RequestTimeoutException', 408],
    ['RequestEntityTooLargeException', 413],
    ['DependencyTimeoutException', 500],
    ['KMSInternalException', 500],
    ['KeyUnavailableException', 500],
    ['InternalFailure', 500],
    ['ServiceUnavailableException', 503],
  ])('%s has status %i', (code, status) => {
    expect(errorReply(new KmsError(code, 'a message'))).toMatchObject({ status });
  });

  it('names the error and gives its message', () => {
    expect(errorReply(new KmsError('NotFoundException', "Invalid keyId 'x\"y'")).body).toBe(
      '{"__type":"NotFoundException","message":"Invalid keyId \'x\\"y\'"}',
    );
  });

  it('spells Message with a capital for AccessDeniedException only', () => {
    expect(JSON.parse(errorReply(new KmsError('AccessDeniedException', 'no')).body)).toEqual({
      __type: 'AccessDeniedException',
      Message: 'no',
    });
  });

  it('has no message member where the error has no message', () => {
    expect(errorReply(new KmsError('InvalidCiphertextException')).body).toBe('{"__type":"InvalidCiphertextException"}');
  });

  it.each([new Error('the PIN is 1234'), 'text', undefined, { code: 'NotFoundException' }])(
    'tells nothing of what is not a KmsError',
    (thrown) => {
      expect(errorReply(thrown)).toEqual({ status: 500, body: '{"__type":"KMSInternalException"}' });
    },
  );

  it('does not tell the cause', () => {
    expect(errorReply(new KmsError('KMSInternalException', undefined, { cause: new Error('slot 3') })).body).toBe(
      '{"__type":"KMSInternalException"}',
    );
  });
});
