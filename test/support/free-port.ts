import { holdPort } from '../../hack/control-plane/ports.ts';

/** A port of 127.0.0.1 that nobody has at this moment, and no outgoing connection gets. */
export async function freePort(): Promise<number> {
  const { port, release } = await holdPort();
  await release();
  return port;
}
