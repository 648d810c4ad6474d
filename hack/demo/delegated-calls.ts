/** Agents that delegate to each other with the SDK and their own files, and one that was taken over. */

import { createPrivateKey, hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createSigner, encodeHeader, signJws } from '../../src/crypto/jose/signer.ts';
import type { ReplayStore } from '../../src/domain/token/replay/replay-store.ts';
import { type Agent, loadAgent } from '../../src/sdk/agent.ts';
import type { Serving } from '../../src/sdk/http/agent-http.ts';
import { readAgentFiles } from './agent-files.ts';
import { signerOf } from './authority.ts';
import { Mismatch } from './mismatch.ts';

const TIMEOUT_MS = 60_000;
const WEB = 'namespaces/staging/deployments/web';
const GET_WEB = [{ name: 'kubectl_get', resources: [WEB] }];
const ROUTE = '/v1/delegate';

/** Claims of a token, to be changed. */
export type Claims = Readonly<Record<string, unknown>>;

/** What somebody sends by hand. */
export interface Sent {
  /** Whose certificate is shown. */
  readonly from: string;
  /** `agent-deployer` or `agent-validator`. */
  readonly to: string;
  readonly token: string;
  readonly parents?: readonly string[];
  readonly path?: string;
}

type Agents = Readonly<Record<'coordinator' | 'deployer' | 'validator', Agent>>;

/** Coordinator, deployer and validator, and whoever else has a folder. Have to be closed. */
export class DelegatingAgents {
  readonly #directory: string;
  readonly #agents: Agents;
  readonly #serving = new Map<string, Serving>();

  private constructor(directory: string, agents: Agents) {
    this.#directory = directory;
    this.#agents = agents;
  }

  /** @param directory Has a folder for each, as its pod has it. */
  static async start(
    directory: string,
    stores: { readonly deployer: ReplayStore; readonly validator: ReplayStore },
  ): Promise<DelegatingAgents> {
    const load = (name: string, store: ReplayStore | 'none'): Promise<Agent> =>
      loadAgent(join(directory, name), {
        store,
        client: { connectTo: (host) => ({ host: '127.0.0.1', port: portOf(host) }) },
      });
    const agents = {
      coordinator: await load('agent-coordinator', 'none'),
      deployer: await load('agent-deployer', stores.deployer),
      validator: await load('agent-validator', stores.validator),
    };
    const started = new DelegatingAgents(directory, agents);
    const portOf = (host: string): number => started.#portOf(host.split('.', 1)[0] ?? '');
    await started.#serve();
    return started;
  }

  async close(): Promise<void> {
    for (const agent of Object.values(this.#agents)) await agent.close();
  }

  /**
   * The coordinator asks the deployer, which asks the validator on its behalf.
   *
   * @returns The path of the second call, by names.
   */
  async delegate(): Promise<readonly string[]> {
    const answer = await this.#agents.coordinator.fetch(`https://agent-deployer:8443${ROUTE}`, {
      method: 'POST',
      delegate: { capabilities: GET_WEB },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Mismatch('status 200', `status ${answer.status} ${text}`);
    return (JSON.parse(text) as { readonly path: readonly string[] }).path;
  }

  /** A good token of the coordinator for the deployer that nobody has used. */
  token(): string {
    const made = this.#agents.coordinator.delegate({ to: 'agent-deployer', capabilities: GET_WEB });
    if (made.kind === 'refused') throw new Mismatch('a token', made.name);
    return made.token;
  }

  /** A child of it that the deployer, taken over, signs as it likes. */
  childOf(parent: string, changes: Claims): string {
    const { deployer, validator } = this.#agents;
    const above = claimsOf(parent);
    return this.forge('agent-deployer', {
      ...above,
      iss: deployer.id,
      client_id: deployer.id,
      aud: validator.id,
      act: { sub: deployer.id },
      cnf: this.boundTo('agent-deployer'),
      del_depth: 2,
      par_hash: hashOf(parent),
      ...changes,
    });
  }

  /** Signs claims with the key of an agent: whoever has its files can. */
  forge(agent: string, claims: Claims): string {
    const pem = readFileSync(join(this.#directory, agent, 'signing/signing.key'));
    const signer = createSigner(createPrivateKey(pem));
    if (signer === undefined) throw new TypeError(`${agent} has no signing key`);
    const header = encodeHeader({ typ: 'agent-capability+jwt', alg: signer.algorithm, kid: signer.kid });
    return signJws(header, JSON.stringify(claims), signer);
  }

  /** `cnf` of a token that the certificate of an agent speaks for. */
  boundTo(agent: 'agent-deployer' | 'agent-validator'): Claims {
    const { deployer, validator } = this.#agents;
    return { 'x5t#S256': (agent === 'agent-deployer' ? deployer : validator).current.tls.thumbprint };
  }

  /** Ids of the generations of the authority that have signed the certificates which the agents show at this moment. */
  signers(): readonly string[] {
    return Object.values(this.#agents).map(({ current }) => signerOf(current.tls.certificatePem));
  }

  /** Sends a request by hand. Returns what refuses it: a name, or the status when nobody names it. */
  async send({ from, to, token, parents = [], path = ROUTE }: Sent): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const outgoing = request({
      ...readAgentFiles(join(this.#directory, from, 'tls')),
      host: '127.0.0.1',
      port: this.#portOf(to),
      servername: to,
      checkServerIdentity: () => undefined,
      agent: false,
      method: 'POST',
      path,
      headers: {
        authorization: `Bearer ${token}`,
        ...(parents.length === 0 ? {} : { 'agent-delegation-chain': parents.join(', ') }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.resume();
      const { statusCode = 0, headers } = response;
      resolve(
        String(headers['agent-trust-refusal'] ?? (statusCode === 200 ? 'accepted' : `status ${statusCode}`)),
      );
    });
    outgoing.end();
    return promise;
  }

  async #serve(): Promise<void> {
    const { deployer, validator } = this.#agents;
    const local = { port: 0, host: '127.0.0.1' } as const;
    this.#serving.set(
      'agent-validator',
      await validator.serve((_request, call) => {
        call.require('kubectl_get', WEB);
        return Response.json({ path: call.path.map(nameOf) });
      }, local),
    );
    this.#serving.set(
      'agent-deployer',
      await deployer.serve(async (_request, call) => {
        call.require('kubectl_get', WEB);
        return call.fetch(`https://agent-validator:8443${ROUTE}`, {
          method: 'POST',
          delegate: { capabilities: GET_WEB },
        });
      }, local),
    );
  }

  #portOf(agent: string): number {
    const serving = this.#serving.get(agent);
    if (serving === undefined) throw new RangeError(`${agent} does not listen`);
    return serving.port;
  }
}

/** What a token says, unverified. */
export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
}

/** `par_hash` of a child. */
export function hashOf(token: string): string {
  return hash('sha256', token.slice(0, token.lastIndexOf('.')), 'base64url');
}

function nameOf(spiffeId: string): string {
  return spiffeId.slice(spiffeId.lastIndexOf('/') + 1).replace(/-sa$/, '');
}
