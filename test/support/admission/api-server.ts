/** An API server as several people see it: requests under their names or with their tokens, and all that it answers. */

import { Agent, request } from 'undici';
import type { ControlPlane } from '../../../hack/control-plane/control-plane.ts';
import { loadCredentials } from '../../../src/kube/credentials.ts';

/** Who asks: a person under whose name the administrator asks, or a token. Both meet real RBAC and real admission. */
export type Caller =
  | { readonly user: string; readonly groups?: readonly string[] }
  | { readonly token: string; readonly impersonates?: string };

/** What is sent. */
export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body?: unknown;
}

/** What comes back. */
export interface Received {
  readonly status: number;
  readonly body: unknown;
  /** The texts of the headers `Warning: 299`. */
  readonly warnings: readonly string[];
}

/** Connections to one API server; to be closed. */
export class ApiServer {
  readonly #server: string;
  readonly #administrator: Agent;
  readonly #nobody: Agent;

  private constructor(server: string, administrator: Agent, nobody: Agent) {
    this.#server = server;
    this.#administrator = administrator;
    this.#nobody = nobody;
  }

  /** Nothing is sent yet. */
  static async of(controlPlane: ControlPlane): Promise<ApiServer> {
    const { tls } = await loadCredentials({ kubeconfig: controlPlane.kubeconfigPath });
    const { ca, cert, key } = tls;
    return new ApiServer(
      controlPlane.server,
      new Agent({ connect: { ca, cert, key }, connections: 16 }),
      new Agent({ connect: { ca }, connections: 16 }),
    );
  }

  /** Asks as a caller; as administrator without one. */
  async ask(sent: Sent, caller?: Caller): Promise<Received> {
    const { method, path, query = {}, contentType = 'application/json', body } = sent;
    const answer = await request(new URL(`${path}?${new URLSearchParams(query)}`, this.#server), {
      method,
      dispatcher: caller !== undefined && 'token' in caller ? this.#nobody : this.#administrator,
      headers: { ...identityOf(caller), 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: parse(text), warnings: warningsOf(answer.headers['warning']) };
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await Promise.all([this.#administrator.destroy(), this.#nobody.destroy()]);
  }
}

function identityOf(caller: Caller | undefined): Record<string, string | string[]> {
  if (caller === undefined) return {};
  if ('user' in caller)
    return { 'impersonate-user': caller.user, 'impersonate-group': [...(caller.groups ?? [])] };
  return {
    authorization: `Bearer ${caller.token}`,
    ...(caller.impersonates === undefined ? {} : { 'impersonate-user': caller.impersonates }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** RFC 9111 section 5.5: `299 - "text"`, quotes and backslashes escaped. */
function warningsOf(header: string | string[] | undefined): readonly string[] {
  return [header ?? []]
    .flat()
    .flatMap((line) => [...line.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)])
    .map(([, text = '']) => text.replace(/\\(.)/g, '$1'));
}
