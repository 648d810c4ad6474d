/** A process with a life, for the test of what Node's signals and errors do to it. */

import { Lifecycle } from '../../src/kube/lifecycle.ts';

const print = (_: unknown, message: string): void => console.log(message);
const how = process.argv[2];

const lifecycle = new Lifecycle({
  log: { debug() {}, info: print, warn: print, error: print },
  components: [
    {
      name: 'timer',
      async start() {
        setInterval(() => {}, 1000);
        if (how === 'reject') setImmediate(() => Promise.reject(new Error('x')));
        if (how === 'throw') {
          setImmediate(() => {
            throw new Error('x');
          });
        }
      },
      stop: async () => true,
    },
  ],
});
await lifecycle.run();
