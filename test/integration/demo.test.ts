/** `npm run demo`, as a stranger types it: on this machine, on a cluster that is there already, and where it cannot work. */

import { type ChildProcess, execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stillRuns } from '../../hack/control-plane/process-identity.ts';
import { ensureTools } from '../../hack/control-plane/tools.ts';
import { CRDS, footprintIn } from '../../hack/demo/footprint.ts';
import { useControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';

interface Run {
  readonly exitStatus: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

const DEMO = new URL('../../hack/demo.ts', import.meta.url).pathname;
/** The kubeconfig of a control plane of ours has one context. */
const CONTEXT = 'admin';
const KINDS = CRDS.map((name) => `customresourcedefinition.apiextensions.k8s.io/${name}`);
const IN_THE_WAY = { namespace: 'ai-agents', release: 'agent-trust' };

const STEPS = [
  /^ ✓ agent-trust installed \(helm\/agent-trust, namespace agent-trust-system\) +\d/m,
  /^ ✓ operator started with the chart's ServiceAccount and nothing more +\d/m,
  /^ ✓ examples\/swarm applied: 5 agents +\d/m,
  /^ AGENT +READY +CERTIFICATE +EXPIRES +RENEWS$/m,
  /^ agent-analyst +True +[0-9a-f]{4}…[0-9a-f]{2} +24h +1\dh( \d+m)?$/m,
  /^ agent-coordinator +True /m,
  /^ agent-deployer +True /m,
  /^ agent-validator +True /m,
  /^ agent-writer +True /m,
  /^ ✓ all 5 agents Ready/m,
  /^ ✓ policy swarm is in force: what no rule grants is denied +4 edges$/m,
  /^ FROM +MAY DELEGATE TO +CAPABILITIES$/m,
  /^ agent-deployer +agent-validator +kubectl_get$/m,
  /^ ✓ an administrator to delete Secret agent-writer-tls +refused$/m,
  /^ +ValidatingAdmissionPolicy '.*' denied request: Secret ai-agents\/agent-writer-tls is kept by agent-trust\. /m,
  /^ ✓ openssl verify -x509_strict accepts 5 certificates +\d/m,
  /^ ✓ agent-coordinator calls agent-deployer over mutual TLS +\d/m,
  /^ +once more, on a connection of its own: \d/m,
  /^ ✓ a stranger without a certificate is refused +certificate required$/m,
  /^ Somebody has stolen the operator's own token:$/m,
  /^ ✓ Secret agent-writer-tls deleted: back with another key after +\d/m,
  /^ ✓ ca\.crt of agent-analyst-tls altered: mended after +\d/m,
  /^ +event: Repaired "Mended the Secret: ca\.crt was not the trust bundle"$/m,
  /^ ✓ NetworkPolicy of agent-validator opened to everybody: closed after +\d/m,
  /^ ✓ agent-coordinator delegates to agent-deployer, and that to agent-validator +\d/m,
  /^ +the validator sees agent-coordinator -> agent-deployer -> agent-validator$/m,
  /^ Somebody has taken over agent-deployer, and has all of its files:$/m,
  /^ ✓ a child that grants more than its parent +not_narrower$/m,
  /^ ✓ a third hop +depth_exceeded$/m,
  /^ ✓ a path trick: POST \/v1\/\/delegate +malformed$/m,
  /^ ✓ a token of agent-coordinator in the hands of agent-analyst +holder_mismatch$/m,
  /^ ✓ an expired token +expired$/m,
  /^ ✓ a token that was used +replayed$/m,
  /^ An administrator replaces the key of the authority, while .* call each other:$/m,
  /^ {3}\$ kubectl patch configmap agent-trust-authority -n agent-trust-system --type merge -p '\{"data":\{"rotateBefore":"[^"]+Z"\}\}'$/m,
  /^ ✓ another generation is made; it signs nothing yet +prepared: [0-9a-f]{16}$/m,
  /^ ✓ it is seen in ca\.crt of the bundle and of all 5 Secrets +\d/m,
  /^ ✓ calls made meanwhile, each over mutual TLS and with a token +\d{2,}, failed: 0$/m,
];

/** Where no pod can run, so that nobody has to be waited for. */
const ACCELERATED_STEPS = [
  /^ ✓ it signs 4 s after that: ten minutes, divided by 150 for the demo +\d/m,
  /^ {3}\$ kubectl patch .* '\{"data":\{"taint":"[0-9a-f]{16}"\}\}'$/m,
  /^ ✓ certificates that the one before has signed are replaced at once, not over hours +re-issued ([1-5]) of \1$/m,
  /^ {3}\$ kubectl patch .* '\{"data":\{"taint":null,"revoke":"[0-9a-f]{16}"\}\}'$/m,
  /^ ✓ the one before is trusted by nobody any more +\d/m,
];

/** Where pods may run. */
const REAL_TIME_STEPS = [
  /^ +Generation [0-9a-f]{16} is seen everywhere and signs from \S+Z on\.$/m,
  /^ +Ten minutes, since files follow late where pods run\. The demo does not wait; with --keep it comes\.$/m,
];

/** Where the API server can ask a webhook on this machine. */
const WEBHOOK_STEPS = [
  /^ ✓ webhook started with a ServiceAccount of its own, which reads no agent's Secret +\d/m,
  /^ ✓ agent-deployer to get agent-writer to write files for it +refused$/m,
  /^ +admission webhook "policies\.agenttrust\.dev" denied the request: this would widen capabilities$/m,
  /^ +spec\.rules\[0\]\.capabilities\[0\] write_file: agent-deployer does not hold it for Delegate /m,
];

describe('npm run demo', () => {
  let parent: string;
  /** Where the demo makes its folders. */
  let temporary: string;

  before(() => {
    parent = mkdtempSync(join(tmpdir(), 'demo-'));
  });
  beforeEach(() => {
    temporary = mkdtempSync(join(parent, 'tmp-'));
  });
  after(() => rmSync(parent, { recursive: true, force: true }));

  function start(
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): { readonly child: ChildProcess; readonly ended: Promise<Run> } {
    const { promise, resolve } = Promise.withResolvers<Run>();
    const [program = '', ...args] = command;
    const options = { env: { ...process.env, TMPDIR: temporary, ...env } };
    const child = execFile(program, args, options, (_error, stdout, stderr) => {
      resolve({ exitStatus: child.signalCode ?? child.exitCode ?? -1, stdout, stderr });
    });
    return { child, ended: promise };
  }

  function demo(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    return start([process.execPath, DEMO, ...args], env).ended;
  }

  /** What the demo left there; npm keeps a cache there too. */
  function leftOnDisk(): readonly string[] {
    return readdirSync(temporary).filter((name) => name.startsWith('agent-trust'));
  }

  function expectSteps(stdout: string, steps: readonly RegExp[] = STEPS): void {
    for (const step of steps) expect(stdout).to.match(step);
    expect(stdout).to.not.contain('✗');
    expect(stdout).to.not.contain('\x1b');
  }

  it('shows every step, ends by itself and leaves nothing behind', async () => {
    const { exitStatus, stdout, stderr } = await start(['npm', 'run', '--silent', 'demo']).ended;
    expect(stderr).to.equal('');
    expect(stdout).to.match(
      /^agent-trust demo +Kubernetes 1\.\d+\.\d+ on this machine, nothing leaves it\n ✓ control plane ready /,
    );
    expectSteps(stdout, [...STEPS, ...WEBHOOK_STEPS, ...ACCELERATED_STEPS]);
    expect(stdout).to.match(/^ done in [\d.]+ s\. Nothing is left behind\. Try next:$/m);
    expect(exitStatus, stdout).to.equal(0);
    expect(leftOnDisk()).to.deep.equal([]);
  });

  it('goes on in the background with --keep, for kubectl to look at, until --down', async () => {
    const directory = join(parent, 'kept');
    const kept = await demo(['--keep', '--dir', directory]);
    expect(kept.exitStatus, kept.stdout).to.equal(0);
    try {
      expectSteps(kept.stdout);
      const { directory: tools } = await ensureTools();
      const commands = kept.stdout
        .slice(kept.stdout.indexOf('Try next:\n') + 'Try next:\n'.length)
        .trimEnd()
        .split('\n');
      expect(commands.at(-1)).to.equal(`   npm run demo -- --down --dir ${directory}`);
      // all but the last, as a person would paste them
      const script = ['set -e', `PATH='${tools}':"$PATH"`, ...commands.slice(0, -1)].join('\n');
      const { exitStatus, stdout } = await start(['sh', '-c', script]).ended;
      expect(stdout).to.match(/^ai-agents +agent-writer +True +Issued +False /m);
      expect(stdout).to.match(/^ +Normal +Repaired .* New certificate: the Secret did not exist$/m);
      expect(exitStatus).to.equal(0);

      const second = await demo(['--keep', '--dir', directory]);
      expect(second).to.deep.equal({
        exitStatus: 1,
        stdout: '',
        stderr: `a demo is kept in ${directory}: end it with npm run demo -- --down --dir ${directory}\n`,
      });
    } finally {
      const { processes } = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8'));
      const down = await demo(['--down', '--dir', directory]);
      expect(down).to.deep.equal({ exitStatus: 0, stdout: '', stderr: `ended; ${directory} is removed\n` });
      expect(processes).to.have.length(5);
      expect(processes.filter(stillRuns)).to.deep.equal([]);
      expect(existsSync(directory)).to.equal(false);
    }
  });

  it('says what was expected and seen when a step fails, and keeps the logs', async () => {
    const bin = join(parent, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'openssl'), '#!/bin/sh\necho "error 20 at 0 depth lookup"\nexit 2\n');
    chmodSync(join(bin, 'openssl'), 0o755);
    const { exitStatus, stdout } = await demo([], { PATH: `${bin}:${process.env['PATH']}` });
    expect(exitStatus).to.equal(1);
    const failure = stdout.slice(stdout.indexOf(' ✗'));
    const [, logs = ''] = /^ {3}logs {6}(.+)$/m.exec(failure) ?? [];
    expect(failure).to.match(
      /^ ✗ openssl verify -x509_strict accepts 5 certificates .*\n {3}expected {2}.*tls\.crt: OK\n(.*\n)* {3}seen {6}error 20 at 0 depth lookup\n {3}logs .*\n$/,
    );
    expect(readdirSync(logs).sort()).to.deep.equal([
      'etcd.log',
      'kube-apiserver.log',
      'kube-controller-manager.log',
      'operator.log',
      'webhook.log',
    ]);
    rmSync(logs, { recursive: true });
    expect(leftOnDisk()).to.deep.equal([]);
  });

  it('says in one line that openssl is missing, before anything starts', async () => {
    const { exitStatus, stdout, stderr } = await demo([], { PATH: temporary });
    expect(stderr).to.match(/^openssl is needed and not installed: apt-get install openssl, .*\n$/);
    expect(stdout).to.equal('');
    expect(exitStatus).to.equal(69);
  });

  it('says of each missing program how to get it', async () => {
    const nothing = {
      PATH: temporary,
      AGENT_TRUST_TOOLS: '',
      KUBEBUILDER_ASSETS: '',
      XDG_CACHE_HOME: parent,
    };
    const { exitStatus, stderr } = await demo([], nothing);
    expect(stderr).to.match(
      /^go is needed and not installed: .*go\.dev\/dl.*\nopenssl is needed and not installed: .*\n$/,
    );
    expect(exitStatus).to.equal(69);
  });

  it('explains itself when asked', async () => {
    const { exitStatus, stdout } = await demo(['--help']);
    expect(stdout).to.match(/^usage: npm run demo /);
    expect(exitStatus).to.equal(0);
  });

  for (const args of [['--nonsense'], ['up'], ['--context', ''], ['--down', '--keep']]) {
    it(`rejects the arguments "${args.join(' ')}"`, async () => {
      const { exitStatus, stdout, stderr } = await demo(args);
      expect(stderr).to.contain('usage: npm run demo ');
      expect(stdout).to.equal('');
      expect(exitStatus).to.equal(64);
    });
  }

  describe('on a cluster of the user', () => {
    const controlPlane = useControlPlane({ controllerManager: true });
    const kubeconfig = (): Readonly<Record<string, string>> => ({
      KUBECONFIG: controlPlane().kubeconfigPath,
    });

    /** Everything with a name of ours, as kubectl prints it. */
    async function leftovers(): Promise<readonly string[]> {
      const kinds = [
        'namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,secrets,configmaps,leases',
        'validatingadmissionpolicies,validatingadmissionpolicybindings',
        'validatingwebhookconfigurations,mutatingwebhookconfigurations',
      ].join(',');
      const { stdout } = await controlPlane().kubectl(['get', kinds, '--all-namespaces', '--output=name']);
      return stdout.split('\n').filter((name) => /agent|agenttrust|helm/.test(name));
    }

    it('shows every step and removes all that it made', async () => {
      const { exitStatus, stdout, stderr } = await demo(['--context', CONTEXT], kubeconfig());
      expect(stderr).to.equal('');
      expect(stdout).to.match(new RegExp(`^agent-trust demo +Kubernetes 1\\.\\S+ of context ${CONTEXT}\n`));
      expectSteps(stdout, [...STEPS, ...REAL_TIME_STEPS]);
      expect(stdout).to.not.contain('it signs 4 s after that');
      expect(stdout).to.match(/^ ✓ everything removed from the cluster +\d/m);
      expect(exitStatus).to.equal(0);
      expect(await leftovers()).to.deep.equal([]);
      expect(leftOnDisk()).to.deep.equal([]);
    });

    it('goes on with --keep until --down, which leaves the kinds when somebody uses one', async () => {
      const directory = join(parent, 'kept on a cluster');
      const kept = await demo(['--context', CONTEXT, '--keep', '--dir', directory], kubeconfig());
      expect(kept.exitStatus, kept.stdout).to.equal(0);
      const host = footprintIn(directory)?.host;
      try {
        expectSteps(kept.stdout);
        expect(host !== undefined && stillRuns(host)).to.equal(true);
        const late = {
          apiVersion: 'agenttrust.dev/v1alpha1',
          kind: 'AgentIdentity',
          metadata: { name: 'late' },
        };
        await controlPlane().kubectl(['create', 'serviceaccount', 'late', '--namespace=ai-agents']);
        await controlPlane().kubectl(['create', '--namespace=ai-agents', '--filename=-'], {
          stdin: JSON.stringify({ ...late, spec: {} }),
        });
        await eventually('the Secret', () =>
          controlPlane().kubectl(['get', 'secret', 'late-tls', '--namespace=ai-agents']),
        );
        const foreign = {
          apiVersion: 'agenttrust.dev/v1alpha1',
          kind: 'AgentIdentity',
          metadata: { name: 'theirs' },
          spec: {},
        };
        const boundary = { ...foreign, kind: 'CapabilityBoundary', spec: { namespaceSelector: {} } };
        for (const object of [foreign, boundary]) {
          await controlPlane().kubectl(['create', '--namespace=default', '--filename=-'], {
            stdin: JSON.stringify(object),
          });
        }
      } finally {
        const { exitStatus, stderr } = await demo(['--down', '--dir', directory]);
        expect(stderr).to.equal(
          `ended; everything is removed from the cluster of context ${CONTEXT}\n` +
            `the kinds of agenttrust.dev stay, because default/theirs, theirs would go with them: kubectl delete crd ${CRDS.join(' ')}\n`,
        );
        expect(exitStatus).to.equal(0);
      }
      expect(host !== undefined && stillRuns(host)).to.equal(false);
      expect(await leftovers()).to.deep.equal(KINDS);
      expect(existsSync(directory)).to.equal(false);
    });

    it('removes what it made when it is interrupted, and not the kinds that were there', async () => {
      // the kinds were left by the test before
      const { child, ended } = start([process.execPath, DEMO, '--context', CONTEXT], kubeconfig());
      let said = '';
      child.stdout?.on('data', (chunk: string) => {
        said += chunk;
      });
      await eventually('the agents', () => said.includes('all 5 agents Ready'));
      child.kill('SIGINT');
      const { exitStatus, stdout } = await ended;
      expect(stdout).to.contain('interrupted: removing what was made\n');
      expect(stdout).to.not.contain('✗');
      expect(exitStatus).to.equal('SIGINT');
      expect(await leftovers()).to.deep.equal(KINDS);
      expect(leftOnDisk()).to.deep.equal([]);
    });

    it('refuses a context that does not exist, and names those that do', async () => {
      expect(await demo(['--context', 'nowhere'], kubeconfig())).to.deep.equal({
        exitStatus: 1,
        stdout: '',
        stderr: `the kubeconfig ${controlPlane().kubeconfigPath} has no context nowhere; it has ${CONTEXT}\n`,
      });
      expect(leftOnDisk()).to.deep.equal([]);
    });

    it('refuses a cluster with a namespace of its name, and leaves it alone', async () => {
      await controlPlane().kubectl(['create', 'namespace', IN_THE_WAY.namespace]);
      const { exitStatus, stdout, stderr } = await demo(['--context', CONTEXT], kubeconfig());
      await controlPlane().kubectl(['delete', 'namespace', IN_THE_WAY.namespace]);
      expect(stderr).to.match(
        /^the cluster of context admin has a namespace ai-agents\. .* leaves yours alone\. .*\n$/,
      );
      expect(stdout).to.equal('');
      expect(exitStatus).to.equal(1);
    });

    it('refuses a cluster with some of the kinds alone, and leaves them alone', async () => {
      const [lacking = '', ...others] = CRDS;
      await controlPlane().kubectl(['delete', 'crd', lacking]);
      const { exitStatus, stdout, stderr } = await demo(['--context', CONTEXT], kubeconfig());
      expect(stderr).to.equal(
        `the cluster of context admin has ${others.join(', ')} and lacks the other kinds of agenttrust.dev. Add them with kubectl apply --server-side -f crds/, or delete these.\n`,
      );
      expect(stdout).to.equal('');
      expect(exitStatus).to.equal(1);
      expect(await leftovers()).to.deep.equal(KINDS.slice(1));
    });

    it('refuses a cluster with a release of its name, wherever it is', async () => {
      const { helm } = await ensureTools();
      const chart = new URL('../../helm/agent-trust', import.meta.url).pathname;
      const where = [`--kubeconfig=${controlPlane().kubeconfigPath}`, '--namespace=elsewhere'];
      const args = [
        'install',
        IN_THE_WAY.release,
        chart,
        '--create-namespace',
        '--set=replicas=0,crds.enabled=false',
      ];
      expect((await start([helm, ...args, ...where]).ended).exitStatus).to.equal(0);
      const { exitStatus, stdout, stderr } = await demo(['--context', CONTEXT], kubeconfig());
      expect(stderr).to.match(
        /^the cluster of context admin has a release agent-trust in namespace elsewhere\. .*\n$/,
      );
      expect(stdout).to.equal('');
      expect(exitStatus).to.equal(1);
    });

    it('refuses a cluster that does not answer', async () => {
      const config = JSON.parse(readFileSync(controlPlane().kubeconfigPath, 'utf8'));
      config.clusters[0].cluster.server = 'https://127.0.0.1:1';
      const path = join(parent, 'dead.kubeconfig');
      writeFileSync(path, JSON.stringify(config));
      const { exitStatus, stderr } = await demo(['--context', CONTEXT], { KUBECONFIG: path });
      expect(stderr).to.match(/^the cluster of context admin does not answer: .*connection.*refused/);
      expect(exitStatus).to.equal(1);
    });
  });
});
