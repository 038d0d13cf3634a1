import { describe, expect, it } from 'vitest';
import { SKEW_MAX_MS, parseRequestTime, requireCurrent, toBasic } from '../../../../src/wire/sigv4/request-time.ts';

const NOW = Date.UTC(2015, 10, 3, 20, 15, 49);

describe('the time of a request', () => {
  it('is X-Amz-Date before Date', () => {
    expect(parseRequestTime('20151103T201549Z', 'Tue, 03 Nov 2015 10:00:00 GMT')).toEqual({ ms: NOW, basic: '20151103T201549Z' });
  });

  it('is Date where there is no X-Amz-Date, in either form', () => {
    expect(parseRequestTime(undefined, 'Tue, 03 Nov 2015 20:15:49 GMT')).toEqual({ ms: NOW, basic: '20151103T201549Z' });
    expect(parseRequestTime(undefined, '20151103T201549Z').ms).toBe(NOW);
  });

  it.each(['', 'yesterday', '2015-11-03T20:15:49Z', '20150231T000000Z', '20151103T256000Z', 'Tue, 03 Nov 2015 20:15:49 GMT'])(
    'is refused in X-Amz-Date as %j',
    (text) => {
      expect(() => parseRequestTime(text, undefined)).toThrow(
        `Date must be in ISO-8601 'basic format'. Got '${text}'. See http://en.wikipedia.org/wiki/ISO_8601`,
      );
    },
  );

  it('may be five minutes off either way, and not a millisecond more', () => {
    const at =
      (ms: number): (() => void) =>
      () =>
        requireCurrent({ ms, basic: toBasic(ms) }, NOW);
    expect(at(NOW - SKEW_MAX_MS)).not.toThrow();
    expect(at(NOW + SKEW_MAX_MS)).not.toThrow();
    expect(at(NOW - SKEW_MAX_MS - 1)).toThrow(
      'Signature expired: 20151103T201048Z is now earlier than 20151103T201049Z (20151103T201549Z - 5 min.)',
    );
    expect(at(NOW + SKEW_MAX_MS + 1)).toThrow(
      'Signature not yet current: 20151103T202049Z is still later than 20151103T202049Z (20151103T201549Z + 5 min.)',
    );
  });
});
