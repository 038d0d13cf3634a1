/** The store that other tests stand on obeys the store contract too. */
import { MemoryStore } from '../support/memory-store.ts';
import { storeContract } from './store-contract.ts';

storeContract('memory store', async () => ({ open: async () => new MemoryStore(), durable: false, remove: async () => {} }));
