/** How fast time may go, so that this machine makes enough handshakes in a rotation. */

import { eventually } from '../eventually.ts';
import { LocalAuthority } from '../sdk/local-authority.ts';
import { Wakefulness } from './prober-awake.ts';
import { type LeafFiles, leafFiles } from './prober-files.ts';
import { type Pair, shakeHands } from './prober-handshake.ts';
import { ProbePod } from './prober-pod.ts';

const MEASURED = 500;
const AT_A_TIME = 4;
/** What is aimed at, since a machine may have more to do later on than while it is measured. */
const WANTED = 40_000;
/** A rotation takes half of a life, which is 24 h before it is divided. */
const ROTATION_SECONDS = 12 * 3600;
/** Nobody waits for ever: a rotation takes seven minutes. */
export const SLOWEST = 100;
/** A rotation takes three minutes, and a process may stand still for almost two seconds before files are too late. */
const FASTEST = 250;

/** By what periods are to be divided: makes some handshakes and looks how long so many take. */
export async function affordableAcceleration(wanted: number = WANTED): Promise<number> {
  const seconds = wanted / (await handshakesPerSecond());
  return Math.max(SLOWEST, Math.min(FASTEST, Math.floor(ROTATION_SECONDS / seconds)));
}

async function handshakesPerSecond(): Promise<number> {
  const authority = new LocalAuthority(() => Date.now());
  const awake = new Wakefulness();
  const podOf = (name: string): ProbePod => newPod(authority, awake, name);
  const pair = { client: podOf('agent-a'), server: podOf('agent-b') };
  const pods = Object.values(pair);
  try {
    await eventually('two pods to listen', () => pods.every(({ port }) => port !== undefined));
    const startedMs = performance.now();
    const each = MEASURED / AT_A_TIME;
    await Promise.all(Array.from({ length: AT_A_TIME }, () => shakeOften(pair, each)));
    return (MEASURED / (performance.now() - startedMs)) * 1000;
  } finally {
    await Promise.all(pods.map((pod) => pod.close()));
    awake.close();
  }
}

async function shakeOften(pair: Pair, count: number): Promise<void> {
  for (let made = 0; made < count; made++) {
    const { problem } = await shakeHands(pair);
    if (problem !== undefined) throw new Error(`a handshake failed: ${problem}`);
  }
}

function newPod(authority: LocalAuthority, awake: Wakefulness, name: string): ProbePod {
  const namespace = 'ai-agents';
  const atOnce = (): number => 0;
  const pod = new ProbePod(
    { namespace, name, hasBundle: true },
    { trusts: 'Secret', secretDelayMs: atOnce, bundleDelayMs: atOnce },
    awake,
  );
  pod.secret.write(leafFilesOf(authority, namespace, name), awake.awakeAtMs);
  return pod;
}

/** What a Secret of an agent of that authority holds; a new leaf each time. */
export function leafFilesOf(authority: LocalAuthority, namespace: string, name: string): LeafFiles {
  const { certificatePem, privateKeyPem } = authority.newLeaf(name, namespace);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const data = {
    'tls.crt': base64(certificatePem),
    'tls.key': base64(privateKeyPem),
    'ca.crt': base64(authority.rootsPem),
  };
  return leafFiles({ metadata: { name: `${name}-tls`, namespace }, data });
}
