/** Hooks of every test file: a rejection that nobody handled fails the run. */

import type { RootHookObject } from 'mocha';

export const mochaHooks: RootHookObject = {
  // mocha forgets a rejection nobody handled; a worker drops its listeners after each file, so this is a hook.
  beforeAll() {
    process.on('unhandledRejection', (reason) => {
      throw reason;
    });
  },
};
