/** The fake key store with transport: materials cross in clear under the names of sender and receiver, since no test of it is about secrecy. */
import { concatBytes, toHex } from '../../src/bytes.ts';
import { KeyStoreError } from '../../src/keystore/keystore.ts';
import { FakeKeyStore } from './fake-key-store.ts';
import type { MaterialRecord } from '../../src/keys/key-record.ts';
import type { BoundKey, MaterialRequest, MaterialTransport, TransportedMaterial } from '../../src/keystore/keystore.ts';

export class TransportingFakeKeyStore extends FakeKeyStore implements MaterialTransport {
  /** Runs before a material is received, once for each; what it rejects with, the store does. */
  beforeReceipt: ((count: number) => Promise<void>) | undefined;
  #received = 0;

  async transportPublicKey(): Promise<Uint8Array> {
    return Buffer.from(this.name);
  }

  async wrapForTransport({ material }: BoundKey, to: string): Promise<Uint8Array> {
    const secret = this.objects.get(toHex(material.reference));
    if (secret === undefined) throw new KeyStoreError('material-missing', 'no such object');
    return concatBytes(Buffer.from(`${this.name}>${to}:`), secret);
  }

  async receiveTransported(request: MaterialRequest, { material, wrapped, from }: TransportedMaterial): Promise<MaterialRecord> {
    await this.beforeReceipt?.((this.#received += 1));
    const names = Buffer.from(`${from}>${this.name}:`);
    if (!names.equals(wrapped.subarray(0, names.length))) throw new KeyStoreError('internal', 'wrapped for another store');
    const objectId = toHex(request.objectId);
    if (this.objects.has(objectId)) throw new TypeError('an object id is never used twice');
    this.objects.set(objectId, wrapped.subarray(names.length));
    return { ...material, keyStore: this.name, protection: this.protection, reference: Uint8Array.from(request.objectId) };
  }
}
