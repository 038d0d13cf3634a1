/** An orderly end: everything closed once, last first, whatever one of the steps does. */
import { describe, expect, it } from 'vitest';
import { CloseStack } from '../../../src/daemon/close-stack.ts';
import { silentLog } from '../../../src/log.ts';

describe('what was opened', () => {
  it('is closed in reverse order, once', async () => {
    const order: string[] = [];
    const opened = new CloseStack(silentLog);
    for (const name of ['store', 'token', 'key store']) opened.push(name, () => void order.push(name));
    await opened.close();
    await opened.close();
    expect(order).toEqual(['key store', 'token', 'store']);
  });

  it('is closed to the end when one step fails, which is logged with its name', async () => {
    const errors: object[] = [];
    const order: string[] = [];
    const opened = new CloseStack({ ...silentLog, error: (fields) => errors.push(fields) });
    opened.push('store', () => void order.push('store'));
    opened.push('token', () => Promise.reject(new Error('host hangs')));
    await opened.close();
    expect(order).toEqual(['store']);
    expect(errors).toEqual([expect.objectContaining({ part: 'token' })]);
  });
});
