/** The store contract, run on every backend. */
import { newSqlitePlace } from '../support/sqlite-place.ts';
import { storeContract } from './store-contract.ts';

storeContract('SQLite store', newSqlitePlace);
