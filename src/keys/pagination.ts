/**
 * Pages of a listing: the marker that a reply carries and the next request brings back (kms-api.md 5.6). A marker is bound to the
 * operation, the account, the Region and the subject of the listing, and names the last item shown, so pages stay right when items come and go.
 */
import { KmsError } from '../errors.ts';

/** What a marker belongs to: operation, partition, account, Region, and the key listed if there is one. */
export type ListingIdentity = readonly string[];

const VERSION = '1';
// Part of no name that a marker holds: the API's patterns admit no control characters.
const SEPARATOR = '\u0000';

/** The marker with which a listing goes on after the item named `after`. */
export function encodeMarker(listing: ListingIdentity, after: string): string {
  return Buffer.from([VERSION, ...listing, after].join(SEPARATOR), 'utf8').toString('base64url');
}

/** The name after which a listing goes on; undefined for its first page. Throws KmsError InvalidMarkerException. */
export function decodeMarker(listing: ListingIdentity, marker: string | undefined): string | undefined {
  if (marker === undefined) return undefined;
  const prefix = [VERSION, ...listing, ''].join(SEPARATOR);
  const text = Buffer.from(marker, 'base64url').toString('utf8');
  const after = text.slice(prefix.length);
  if (!text.startsWith(prefix) || after === '' || encodeMarker(listing, after) !== marker) {
    throw new KmsError('InvalidMarkerException', 'The marker is not one of this listing. Start again without a marker.');
  }
  return after;
}

/** `NextMarker` (only when there is more) and `Truncated` (always) of a reply. */
export function pageMembers(
  listing: ListingIdentity,
  next: string | undefined,
): { readonly Truncated: boolean; readonly NextMarker?: string } {
  return next === undefined ? { Truncated: false } : { NextMarker: encodeMarker(listing, next), Truncated: true };
}
