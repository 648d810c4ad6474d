/** A cluster with the chart installed, webhook and controller running, and people and processes that ask it things. */

import { after, before } from 'mocha';
import type { ControlPlane } from '../../../hack/control-plane/control-plane.ts';
import { connectWebhook } from '../../../hack/operator/connect-webhook.ts';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { useControlPlane } from '../control-plane.ts';
import { eventually } from '../eventually.ts';
import { applyIstioCrds } from '../mesh/istio-crds.ts';
import { type RunningOperator, startOperator } from '../operator.ts';
import { type RunningWebhook, startWebhook } from '../webhook.ts';
import type { Answer } from './answer.ts';
import { ApiServer, type Caller } from './api-server.ts';
import { ask } from './ask.ts';
import { create, type Manifest, type Request, read } from './request.ts';

/** How it is. */
export interface AdmissionClusterOptions {
  /** Namespaces that are governed. */
  readonly governed: readonly string[];
  /** Namespaces that are there beside them. */
  readonly others?: readonly string[];
  /** Whether webhook and controller run from the beginning. Default is yes. */
  readonly isRunning?: boolean;
}

/** See the file. */
export class AdmissionCluster {
  readonly controlPlane: ControlPlane;
  readonly server: ApiServer;
  readonly #governed: readonly string[];
  #webhook: RunningWebhook | undefined;
  #controller: RunningOperator | undefined;

  constructor(controlPlane: ControlPlane, server: ApiServer, governed: readonly string[]) {
    this.controlPlane = controlPlane;
    this.server = server;
    this.#governed = governed;
  }

  /** Asks; as administrator without a caller. */
  ask(request: Request, caller?: Caller, options: { readonly dryRun?: boolean } = {}): Promise<Answer> {
    return ask(this.server, request, { ...options, ...(caller === undefined ? {} : { caller }) });
  }

  /** Makes an object as administrator; tries again while what admission needs is only just coming. */
  async make(manifest: Manifest): Promise<void> {
    await eventually(`${manifest.kind} ${manifest.metadata.name} to be made`, async () => {
      const answer = await this.ask(create(manifest));
      if ('warnings' in answer || answer.status === 409) return true;
      throw new Error(`${answer.status} ${answer.by}: ${answer.says}`);
    });
  }

  /** Starts the controller. */
  async startController(): Promise<void> {
    this.#controller = await startOperator({
      controlPlane: this.controlPlane,
      flags: [`--namespaces=${this.#governed.join()}`],
    });
  }

  /** Starts the webhook and waits until the API server asks it. */
  async startWebhook(): Promise<void> {
    const flags = [`--namespaces=${this.#governed.join()}`];
    this.#webhook = await startWebhook({ controlPlane: this.controlPlane, flags });
    await connectWebhook(this.controlPlane, await this.#webhook.port);
    const [namespace = ''] = this.#governed;
    const probe = { kind: 'AgentIdentity', metadata: { name: 'probe', namespace }, spec: {} };
    await eventually('the webhook to answer', async () => {
      const answer = await this.ask(create(probe), undefined, { dryRun: true });
      if (!('warnings' in answer)) throw new Error(`${answer.by}: ${answer.says}`);
      return true;
    });
  }

  /** Ends the webhook. */
  async stopWebhook(): Promise<void> {
    const webhook = this.#webhook;
    this.#webhook = undefined;
    await webhook?.stop();
  }

  /** Ends both, as scaling them to zero does. */
  async stopProcesses(): Promise<void> {
    const controller = this.#controller;
    this.#controller = undefined;
    await Promise.all([this.stopWebhook(), controller?.stop()]);
  }
}

/** Builds one for the suite it is called in, and takes it away after it. */
export function useAdmissionCluster(options: AdmissionClusterOptions): () => AdmissionCluster {
  const { governed, others = [], isRunning = true } = options;
  const controlPlane = useControlPlane({ controllerManager: true });
  let cluster: AdmissionCluster | undefined;
  before(async () => {
    await applyIstioCrds(controlPlane());
    for (const name of [...governed, ...others, OPERATOR_NAMESPACE])
      await controlPlane().kubectl(['create', 'namespace', name]);
    await installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: governed,
      admission: 'all',
    });
    const server = await ApiServer.of(controlPlane());
    cluster = new AdmissionCluster(controlPlane(), server, governed);
    await eventually('the kinds to be served', async () => {
      const answer = await cluster?.ask(read({ kind: 'AgentIdentity', namespace: governed[0] }));
      return answer !== undefined && 'warnings' in answer;
    });
    if (!isRunning) return;
    await cluster.startWebhook();
    await cluster.startController();
  });
  after(async () => {
    await cluster?.stopProcesses();
    await cluster?.server.close();
  });
  return () => {
    if (cluster === undefined) throw new Error('the cluster is there from the first test on, not earlier');
    return cluster;
  };
}
