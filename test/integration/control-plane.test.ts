/** The control plane that other tests stand on: two side by side, tokens, restarts, and that nothing is left behind. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CommandError } from '../../hack/control-plane/command-error.ts';
import { type ControlPlane, startControlPlane } from '../../hack/control-plane/control-plane.ts';
import { identify } from '../../hack/control-plane/process-identity.ts';
import { ensureTools } from '../../hack/control-plane/tools.ts';
import { useControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly name?: string };
  readonly requestObject?: unknown;
}

async function configMapNames(plane: ControlPlane): Promise<string[]> {
  const { stdout } = await plane.kubectl(['get', 'configmaps', '--output=name']);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('startControlPlane', () => {
  const plane = useControlPlane({ controllerManager: true, auditLog: true });
  const other = useControlPlane();

  it('runs several side by side that know nothing of each other', async () => {
    await plane().kubectl(['create', 'configmap', 'only-here']);
    expect(await configMapNames(plane())).to.include('configmap/only-here');
    expect(await configMapNames(other())).to.deep.equal([]);
  });

  it('has client and server of the same version', async () => {
    const { stdout } = await plane().kubectl(['version', '--output=json']);
    const { clientVersion, serverVersion } = JSON.parse(stdout);
    expect(clientVersion.gitVersion).to.match(/^v1\.\d+\.\d+$/);
    expect(serverVersion.gitVersion).to.equal(clientVersion.gitVersion);
  });

  it('runs the controllers that were asked for', async () => {
    await plane().kubectl(['create', 'namespace', 'with-controllers']);
    const published = [
      'get',
      'configmap/kube-root-ca.crt',
      'serviceaccount/default',
      '--namespace=with-controllers',
    ];
    await eventually('the root certificate and the default ServiceAccount', async () => {
      const { exitStatus } = await plane().kubectl(published, { mayFail: true });
      return exitStatus === 0;
    });
  });

  it('writes who created what into the audit log, without bodies', async () => {
    await plane().kubectl(['create', 'configmap', 'audited', '--from-literal=key=value']);
    const event = await eventually('the audit event', () => {
      const lines = readFileSync(plane().auditLogPath ?? '', 'utf8')
        .split('\n')
        .slice(0, -1);
      const events = lines.map((line) => JSON.parse(line) as AuditEvent);
      return events.find(({ verb, objectRef }) => verb === 'create' && objectRef?.name === 'audited');
    });
    expect(event.user.username).to.equal('admin');
    expect(event.stage).to.equal('ResponseComplete');
    expect(event).not.to.have.property('requestObject');
  });

  it('throws what kubectl says', async () => {
    const error = await plane()
      .kubectl(['get', 'configmap', 'nowhere'])
      .catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(CommandError);
    expect((error as CommandError).message).to.contain('configmaps "nowhere" not found');
  });

  it('refuses a folder that is not empty', async () => {
    const error = await startControlPlane({ directory: plane().directory }).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as CommandError).code).to.equal('DIRECTORY_NOT_EMPTY');
    expect(existsSync(plane().kubeconfigPath)).to.equal(true);
  });

  describe('tokenFor', () => {
    before(async () => {
      await plane().kubectl(['create', 'serviceaccount', 'reader', '--namespace=default']);
      await plane().kubectl(['create', 'role', 'reader', '--verb=list', '--resource=configmaps']);
      await plane().kubectl([
        'create',
        'rolebinding',
        'reader',
        '--role=reader',
        '--serviceaccount=default:reader',
      ]);
    });

    async function asReader(
      token: string,
      args: readonly string[],
    ): Promise<{ exitStatus: number; stderr: string }> {
      const connection = [
        '--kubeconfig=/dev/null',
        `--server=${plane().server}`,
        `--certificate-authority=${plane().caPath}`,
        `--token=${token}`,
      ];
      const { exitStatus, stderr } = await plane().kubectl([...connection, ...args], { mayFail: true });
      return { exitStatus, stderr };
    }

    it('gives a token that may do what RBAC allows', async () => {
      const token = await plane().tokenFor({ namespace: 'default', name: 'reader' });
      expect(await asReader(token, ['get', 'configmaps'])).to.deep.equal({ exitStatus: 0, stderr: '' });
    });

    it('gives a token that may not do what RBAC does not allow', async () => {
      const token = await plane().tokenFor({ namespace: 'default', name: 'reader' });
      const { exitStatus, stderr } = await asReader(token, ['get', 'secrets']);
      expect(exitStatus).to.equal(1);
      expect(stderr).to.contain('User "system:serviceaccount:default:reader" cannot list resource "secrets"');
    });

    it('has no token for a ServiceAccount that does not exist', async () => {
      const error = await plane()
        .tokenFor({ namespace: 'default', name: 'nobody' })
        .catch((thrown: unknown) => thrown);
      expect((error as CommandError).message).to.equal(
        'no token for ServiceAccount default/nobody: status 404',
      );
    });

    it('fills a folder like the one in a pod', async () => {
      const directory = await plane().serviceAccountDirectory({ namespace: 'default', name: 'reader' });
      const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
      expect(readdirSync(directory).sort()).to.deep.equal(['ca.crt', 'namespace', 'token']);
      expect(read('namespace')).to.equal('default');
      expect(read('ca.crt')).to.equal(readFileSync(plane().caPath, 'utf8'));
      expect((await asReader(read('token'), ['get', 'configmaps'])).exitStatus).to.equal(0);
    });
  });

  describe('restarts', () => {
    it('keeps its data and its address when the API server is restarted', async () => {
      const before = plane().pids;
      await plane().restartApiServer();
      expect(plane().pids['kube-apiserver']).not.to.equal(before['kube-apiserver']);
      expect(plane().pids['etcd']).to.equal(before['etcd']);
      expect(await configMapNames(plane())).to.include('configmap/only-here');
    });

    it('does not answer after the API server was killed, until it is started', async () => {
      await plane().killApiServer();
      const refused = await plane().kubectl(['get', 'configmaps'], { mayFail: true });
      expect(refused.exitStatus).to.equal(1);
      await plane().startApiServer();
      expect(await configMapNames(plane())).to.include('configmap/only-here');
    });

    it('keeps its data when etcd is restarted', async () => {
      const before = plane().pids;
      await plane().restartEtcd();
      expect(plane().pids['etcd']).not.to.equal(before['etcd']);
      expect(await configMapNames(plane())).to.include('configmap/only-here');
    });
  });
});

describe('the end of a control plane', () => {
  let directory: string;
  let child: ChildProcess | undefined;

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'control-plane-')), 'files');
  });

  afterEach(() => {
    child?.kill('SIGTERM');
    child = undefined;
    rmSync(join(directory, '..'), { recursive: true, force: true });
  });

  /** Starts a control plane in a process of its own and returns the pids of etcd and so on once it is ready. */
  async function startElsewhere(): Promise<number[]> {
    const { directory: tools } = await ensureTools();
    child = spawn(process.execPath, ['hack/cluster.ts', 'up', '--dir', directory], {
      env: { ...process.env, AGENT_TRUST_TOOLS: tools },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    const note = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8'));
    const pids = note.processes.map(({ pid }: { pid: number }) => pid);
    expect(pids.length).to.equal(3);
    return pids;
  }

  /** Waits until the processes, their watchdogs (the same process groups) and the folder are gone. */
  async function expectNothingLeft(pids: readonly number[]): Promise<void> {
    await expectProcessesGone(pids);
    await eventually('the folder to be removed', () => !existsSync(directory));
  }

  async function expectProcessesGone(pids: readonly number[]): Promise<void> {
    await eventually('the processes and their watchdogs to be gone', () => {
      expect(pids.filter((pid) => identify(pid) !== undefined || groupExists(pid))).to.deep.equal([]);
      return true;
    });
  }

  function groupExists(pid: number): boolean {
    try {
      return process.kill(-pid, 0);
    } catch {
      return false;
    }
  }

  it('leaves nothing after stop', async () => {
    const plane = await startControlPlane({ directory });
    const pids = Object.values(plane.pids);
    expect(pids.length).to.equal(2);
    await plane.stop();
    await expectNothingLeft(pids);
  });

  it('keeps the folder when asked to', async () => {
    const plane = await startControlPlane({ directory, keepDirectory: true });
    const pids = Object.values(plane.pids);
    await plane.stop();
    await expectProcessesGone(pids);
    expect(readdirSync(join(directory, 'logs')).sort()).to.deep.equal(['etcd.log', 'kube-apiserver.log']);
  });

  it('leaves nothing after Ctrl-C, and ends by that signal', async () => {
    const pids = await startElsewhere();
    child?.kill('SIGINT');
    const [, signal] = await once(child as ChildProcess, 'exit');
    expect(signal).to.equal('SIGINT');
    await expectNothingLeft(pids);
  });

  it('leaves nothing after the process that started it was killed', async () => {
    const pids = await startElsewhere();
    child?.kill('SIGKILL');
    await once(child as ChildProcess, 'exit');
    await expectNothingLeft(pids);
  });

  describe('with an API server that does not start', () => {
    const assetsBefore = process.env['KUBEBUILDER_ASSETS'];

    afterEach(() => {
      if (assetsBefore === undefined) delete process.env['KUBEBUILDER_ASSETS'];
      else process.env['KUBEBUILDER_ASSETS'] = assetsBefore;
    });

    it('says what the log says and keeps nothing but the logs', async () => {
      const { etcd, kubectl } = await ensureTools();
      const assets = join(directory, '..', 'assets');
      mkdirSync(assets);
      symlinkSync(etcd, join(assets, 'etcd'));
      symlinkSync(kubectl, join(assets, 'kubectl'));
      writeFileSync(join(assets, 'kube-apiserver'), '#!/bin/sh\necho unknown flag: --x\nexit 7\n');
      chmodSync(join(assets, 'kube-apiserver'), 0o755);
      process.env['KUBEBUILDER_ASSETS'] = assets;

      const error = await startControlPlane({ directory }).catch((thrown: unknown) => thrown);
      expect((error as CommandError).message).to.equal(
        `kube-apiserver ended with status 7; its log is ${join(directory, 'logs', 'kube-apiserver.log')}, ` +
          'the last lines:\nunknown flag: --x',
      );
      expect(readdirSync(directory)).to.deep.equal(['logs']);
    });
  });
});
