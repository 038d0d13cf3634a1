/** What the layers are called in reports. The letters are those of the benchmark's description. */
import type { LayerName } from './observation.ts';

export const layerTitles: Readonly<Record<LayerName, string>> = {
  c: '(a) C, session key',
  'c-token-key': '(a) C, token key',
  addon: '(b) addon in process, session key',
  'addon-token-key': '(b) addon in process, token key',
  host: '(c) token host, session key',
  'host-token-key': '(c) token host, token key',
  kms: '(d) KMS pipeline, isolation none',
  'kms-host': '(d) KMS pipeline, isolation process',
  http: '(e) HTTP + SigV4, isolation none',
  'http-host': '(e) HTTP + SigV4, isolation process',
  https: '(e) HTTPS + SigV4, isolation none',
  'keys-100': '(f) KMS pipeline, 100 keys in the store',
  'keys-10000': '(f) KMS pipeline, 10,000 keys in the store',
  'keys-100000': '(f) KMS pipeline, 100,000 keys in the store',
  'served-100': '(f) HTTP + SigV4, 100 keys in the store',
  'served-10000': '(f) HTTP + SigV4, 10,000 keys in the store',
  'served-100000': '(f) HTTP + SigV4, 100,000 keys in the store',
  'key-store': '(g) key store of the token',
  'key-use': '(g) KMS pipeline, token',
  'node-crypto': '(g) node:crypto',
  'software-store': '(g) software key store',
  'software-use': '(g) KMS pipeline, software',
};

/** The layers of the letters in `letters`, in the order in which they are measured. */
export function layersOf(letters: string): readonly LayerName[] {
  return (Object.keys(layerTitles) as LayerName[]).filter((name) => letters.includes(layerTitles[name].charAt(1)));
}
