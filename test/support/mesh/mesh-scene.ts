/** Pods with real sidecars: policy objects go through Istio's own builder into a real Envoy, behind mutual TLS. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Account } from '../../../src/domain/mesh/model.ts';
import { MeshAuthority, type TlsIdentity } from './certificates.ts';
import { RunningEnvoy } from './envoy.ts';
import type { Sidecar } from './envoy-config.ts';
import { istioFilters } from './istio-filters.ts';
import { MeshClient } from './mesh-client.ts';
import { podLabels } from './mesh-world.ts';
import { PodAddresses } from './pod-addresses.ts';
import { type PolicyObject, ROOT_NAMESPACE } from './policy-object.ts';

/** Trust domain of the mesh. */
export const TRUST_DOMAIN = 'example.org';
/** Name of the external authorizer; it takes {@link VERIFIED} for a good token and nothing else. */
export const AUTHORIZER = 'agent-trust';
/** Headers of a call with a token that the authorizer takes. */
export const VERIFIED: Readonly<Record<string, string>> = { authorization: 'Bearer verified' };
/** Ports of every pod. */
export const PORTS: readonly number[] = [8443, 9090];

const AUTHORIZER_SERVICE = { service: 'authorizer.agent-trust.svc.cluster.local', port: 9000 };

/** A cluster of its own: all of its policy objects, and pods by their ServiceAccounts. */
export interface Scene {
  readonly objects: readonly PolicyObject[];
  readonly pods: readonly Account[];
}

/** Running scenes. */
export class MeshScenes {
  readonly authority: MeshAuthority;
  readonly #scenes: readonly Scene[];
  readonly #identities = new Map<string, Promise<TlsIdentity>>();
  readonly #addresses = new Map<string, string>();
  readonly #authorizer: Server = createServer((request, response) => {
    response.writeHead(request.headers.authorization === VERIFIED['authorization'] ? 200 : 403).end();
  });
  #network: PodAddresses | undefined;
  #envoy: RunningEnvoy | undefined;

  private constructor(scenes: readonly Scene[]) {
    this.#scenes = scenes;
    this.authority = new MeshAuthority(TRUST_DOMAIN);
  }

  /** Starts one Envoy for the pods of all scenes. */
  static async start(scenes: readonly Scene[]): Promise<MeshScenes> {
    const running = new MeshScenes(scenes);
    try {
      await running.#start();
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  /** The identity that was issued to a ServiceAccount; the same in all scenes. */
  identity(account: Account): Promise<TlsIdentity> {
    const key = keyOf(account);
    const issued = this.#identities.get(key) ?? this.authority.issue(account);
    this.#identities.set(key, issued);
    return issued;
  }

  /** A connection to a pod; to be closed. `identity`: of whom calls; undefined: without certificate. */
  connect(
    { scene, pod, port = 8443 }: { readonly scene: number; readonly pod: Account; readonly port?: number },
    identity: TlsIdentity | undefined,
  ): MeshClient {
    const address = this.#addresses.get(`${scene} ${keyOf(pod)}`);
    if (address === undefined) throw new Error(`scene ${scene} has no pod of ${keyOf(pod)}`);
    return new MeshClient({
      address,
      port,
      trustBundlePem: this.authority.certificatePem,
      expected: `spiffe://${TRUST_DOMAIN}/ns/${pod.namespace}/sa/${pod.serviceAccountName}`,
      identity,
    });
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await this.#envoy?.stop();
    await this.#network?.release();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#authorizer.close(() => resolve());
    this.#authorizer.closeAllConnections();
    await promise;
  }

  async #start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#authorizer.listen(0, '127.0.0.1', () => resolve());
    const [network, sidecars] = await Promise.all([PodAddresses.claim(), this.#filters(), promise]);
    this.#network = network;
    const identities = new Map<string, TlsIdentity>();
    for (const account of this.#scenes.flatMap(({ pods }) => pods)) {
      identities.set(keyOf(account), await this.identity(account));
    }
    const { service, port } = AUTHORIZER_SERVICE;
    this.#envoy = await RunningEnvoy.start({
      trustDomain: TRUST_DOMAIN,
      trustBundlePem: this.authority.certificatePem,
      identities,
      sidecars: sidecars.map((sidecar) => ({ ...sidecar, address: this.#placeOf(sidecar.key, network) })),
      authorizer: {
        port: (this.#authorizer.address() as AddressInfo).port,
        cluster: `outbound|${port}||${service}`,
      },
    });
  }

  async #filters(): Promise<readonly (Omit<Sidecar, 'address'> & { readonly key: string })[]> {
    const extensionProviders = [
      {
        name: AUTHORIZER,
        envoyExtAuthzHttp: {
          ...AUTHORIZER_SERVICE,
          timeout: '5s',
          includeRequestHeadersInCheck: ['authorization'],
        },
      },
    ];
    const clusters = this.#scenes.map(({ objects, pods }) => ({
      objects,
      workloads: pods.map((pod) => ({ namespace: pod.namespace, labels: podLabels(pod) })),
    }));
    const mesh = { trustDomain: TRUST_DOMAIN, rootNamespace: ROOT_NAMESPACE, extensionProviders };
    const filters = await istioFilters(mesh, clusters);
    return this.#scenes.flatMap(({ pods }, scene) =>
      pods.map((pod, index) => ({
        key: `${scene} ${keyOf(pod)}`,
        ports: PORTS,
        identity: keyOf(pod),
        filters: filters[scene]?.[index] ?? [],
      })),
    );
  }

  #placeOf(key: string, network: PodAddresses): string {
    const address = network.next();
    this.#addresses.set(key, address);
    return address;
  }
}

function keyOf({ namespace, serviceAccountName }: Account): string {
  return `${namespace}/${serviceAccountName}`;
}
