/** Computing threads: results and refusals cross, secrets are moved and wiped, everything is bounded and ends. */
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { keyPairOfSeed } from '../../../../src/keys/post-quantum.ts';
import { isSignatureValid } from '../../../../src/keys/verify-signature.ts';
import { entropyBytes } from '../../../../src/keystore/computing/computations.ts';
import { ComputingThreads } from '../../../../src/keystore/computing/computing-threads.ts';
import { heldThreads } from '../../../support/held-threads.ts';

const parameters = 'ml-dsa-44' as const;
const keySpec = 'ML_DSA_44';
const request = { algorithm: 'ML_DSA_SHAKE_256', message: randomBytes(40), messageType: 'RAW' } as const;

describe('computing threads', () => {
  const threads = new ComputingThreads({ threadsMax: 1 });
  afterAll(() => threads.close());

  it('make the key pair of a seed, sign and verify as this thread does', async () => {
    const seed = new Uint8Array(randomBytes(32));
    const pair = await threads.compute('keyPairOfSeed', { parameters }, seed);
    expect(pair).toEqual(keyPairOfSeed(parameters, seed));
    const signature = await threads.compute('sign', { keySpec, request, entropy: randomBytes(entropyBytes) }, pair.privateKey);
    const signed = { keySpec, publicKey: pair.publicKey, ...request };
    expect(await isSignatureValid(signed, signature)).toBe(true);
    expect(await threads.isSignatureValid(signed, signature)).toBe(true);
    signature[5]! ^= 1;
    expect(await threads.isSignatureValid(signed, signature)).toBe(false);
  });

  it('hand on the kind of a refusal', async () => {
    const ciphertext = randomBytes(7);
    const refused = threads.compute('decapsulate', { keySpec: 'ML_KEM_512', ciphertext }, randomBytes(64));
    await expect(refused).rejects.toMatchObject({ name: 'KeyStoreError', kind: 'invalid-ciphertext' });
  });

  it('report what they cannot compute as internal, and go on', async () => {
    await expect(threads.encapsulateTo(randomBytes(5), 'RSA_2048')).rejects.toMatchObject({ kind: 'internal' });
    await expect(threads.compute('keyPairOfSeed', { parameters: 'ml-kem-512' }, randomBytes(64))).resolves.toHaveProperty('publicKey');
  });
});

const compute = (threads: ComputingThreads, secret = new Uint8Array(32).fill(7)): Promise<Uint8Array> =>
  threads.compute('agree', { peerPublicKey: Buffer.from('peer') }, secret);

describe('computations that wait', () => {
  it('run one to a thread, in order, on no more threads than allowed', async () => {
    const { threads, started } = heldThreads({ threadsMax: 2, waitingMax: 5 });
    const all = [compute(threads), compute(threads), compute(threads)];
    expect(started.map((thread) => thread.requests.length)).toEqual([1, 1]);
    started[1]!.answer('second');
    expect(started.map((thread) => thread.requests.length)).toEqual([1, 2]);
    started[1]!.answer('third');
    started[0]!.answer('first');
    expect(await Promise.all(all)).toEqual(['first', 'second', 'third']);
    await threads.close();
    expect(started.every((thread) => thread.terminated)).toBe(true);
  });

  it('are refused when too many wait', async () => {
    const { threads, started } = heldThreads({ threadsMax: 1, waitingMax: 1 });
    const running = compute(threads);
    const waiting = compute(threads);
    await expect(compute(threads)).rejects.toMatchObject({ kind: 'unavailable' });
    started[0]!.answer();
    started[0]!.answer();
    await Promise.all([running, waiting]);
  });

  it('take every byte array along in a buffer of its own, which is moved, and leave the caller its own', async () => {
    const { threads, started } = heldThreads({ threadsMax: 1, waitingMax: 1 });
    const secret = new Uint8Array(16).fill(9);
    const call = compute(threads, secret);
    const { argument, secret: copy } = started[0]!.requests[0]!;
    const { peerPublicKey } = argument as { peerPublicKey: Uint8Array };
    expect(Buffer.from(peerPublicKey).toString()).toBe('peer');
    expect(peerPublicKey.buffer.byteLength).toBe(4);
    expect(started[0]!.moved[0]).toEqual([peerPublicKey.buffer, copy.buffer]);
    expect(copy).not.toBe(secret);
    expect(copy).toEqual(secret);
    started[0]!.answer();
    await call;
  });

  it('fail with the thread that ends, and the next one gets a new thread', async () => {
    const { threads, started } = heldThreads({ threadsMax: 1, waitingMax: 1 });
    const lost = compute(threads);
    const next = compute(threads);
    started[0]!.emit('error', new Error('out of memory'));
    started[0]!.emit('exit', 1);
    await expect(lost).rejects.toMatchObject({ kind: 'unavailable' });
    started[1]!.answer('after');
    expect(await next).toBe('after');
    expect(started).toHaveLength(2);
  });

  it('are refused and their secrets wiped when the threads close, which lets running ones end', async () => {
    const { threads, started } = heldThreads({ threadsMax: 1, waitingMax: 1 });
    const running = compute(threads);
    const waiting = compute(threads);
    let closed = false;
    const closing = threads.close().then(() => (closed = true));
    await expect(waiting).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(compute(threads)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(closed).toBe(false);
    started[0]!.answer('done');
    expect(await running).toBe('done');
    await closing;
    expect(started[0]!.terminated).toBe(true);
  });
});
