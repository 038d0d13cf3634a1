/**
 * The transport keys that an operator has pinned for a key store: whatever a store says its key is, only the pinned one counts. Nothing
 * that a request or the database holds has a part in it.
 */
import { createHash } from 'node:crypto';
import type { ProtectionLevel } from '../keys/key-record.ts';
import { KeyStoreError } from './keystore.ts';
import type { KeyStore, MaterialTransport, TransportPeers } from './keystore.ts';

/** What the configuration says about another key store. */
export interface TransportPin {
  readonly keyStore: string;
  /** SHA-256 of the DER SubjectPublicKeyInfo of its transport key: 64 lower-case hex digits. */
  readonly fingerprint: string;
}

export function transportFingerprint(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex');
}

/** True for key stores between which materials can be transported. */
export function transportsMaterial<Store extends Partial<MaterialTransport>>(keyStore: Store): keyStore is Store & MaterialTransport {
  const { transportPublicKey, wrapForTransport, receiveTransported } = keyStore;
  return [transportPublicKey, wrapForTransport, receiveTransported].every((method) => method !== undefined);
}

/** The peers of `self`. `find` looks a key store up by name when it is needed, since some are opened later than others. */
export function pinnedPeers(
  self: { readonly name: string; readonly protection: ProtectionLevel },
  pins: readonly TransportPin[],
  find: (name: string) => KeyStore | undefined,
): TransportPeers {
  return {
    publicKeyOf: async (name) => {
      const pin = pins.find(({ keyStore }) => keyStore === name);
      if (pin === undefined) {
        throw refused(`The key store ${self.name} exchanges no key material with ${name}: its configuration has no pin for it.`);
      }
      const peer = find(name);
      if (peer === undefined || !transportsMaterial(peer)) throw refused(`The key store ${name} exchanges no key material.`);
      // Material of hardware stays in hardware, and what was outside does not come to look as if it never had been.
      if (peer.protection !== self.protection) {
        throw refused(`Key material does not move between ${self.name} (${self.protection}) and ${name} (${peer.protection}).`);
      }
      const publicKey = await peer.transportPublicKey();
      if (publicKey === undefined) throw refused(`The key store ${name} has no transport key yet.`);
      if (transportFingerprint(publicKey) === pin.fingerprint) return publicKey;
      throw refused(
        `The transport key of ${name} is not the one that is pinned for ${self.name}. Compare the fingerprints and set the pin.`,
      );
    },
  };
}

function refused(reason: string): KeyStoreError {
  return new KeyStoreError('refused', reason);
}
