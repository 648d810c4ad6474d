/** Credentials out of mounted files and kubeconfigs, written to a temporary directory. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  type Credentials,
  inClusterCredentials,
  kubeconfigCredentials,
  loadCredentials,
} from '../../../src/kube/credentials.ts';
import { caughtKubeError } from '../../support/caught.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const IN_CLUSTER = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };

interface Kubeconfig {
  readonly cluster?: object;
  readonly user?: object;
  readonly name?: string;
}

/** One context of one cluster and one user; JSON is YAML. */
function kubeconfig({ cluster = {}, user = {}, name = 'c' }: Kubeconfig): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server: `https://${name}.example:6443/base`, ...cluster } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: `ns-${name}` } }],
  });
}

describe('credentials', () => {
  let directory: string;
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o755 });
    return path;
  };
  const summary = async (credentials: Credentials) => ({
    server: credentials.server.href,
    namespace: credentials.namespace,
    token: await credentials.bearerToken(),
    tls: Object.fromEntries(Object.entries(credentials.tls).map(([name, value]) => [name, String(value)])),
  });
  const failure = async (call: Promise<unknown>) => {
    const { code, message, cause } = await caughtKubeError(call);
    return { code, message: message.replaceAll(directory, '/dir'), cause };
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'credentials-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  describe('inClusterCredentials', () => {
    beforeEach(() =>
      Promise.all([write('token', 'one\n'), write('ca.crt', 'CA\n'), write('namespace', 'team\n')]),
    );

    it('reads the mounted service account', async () => {
      expect(await summary(await inClusterCredentials({ env: IN_CLUSTER, directory }))).to.deep.equal({
        server: 'https://10.0.0.1:6443/',
        namespace: 'team',
        token: 'one',
        tls: { ca: 'CA' },
      });
    });

    it('accepts an IPv6 address, no port and no namespace', async () => {
      await rm(join(directory, 'namespace'));
      const { server, namespace } = await inClusterCredentials({
        env: { KUBERNETES_SERVICE_HOST: 'fd00::1' },
        directory,
      });
      expect([server.href, namespace]).to.deep.equal(['https://[fd00::1]/', undefined]);
    });

    it('reads token and CA again after a minute, and at once when told', async () => {
      const clock = new ManualClock();
      const credentials = await inClusterCredentials({ env: IN_CLUSTER, directory, clock });
      const seen = [];
      await Promise.all([write('token', 'two'), write('ca.crt', 'CA2')]);
      seen.push(await summary(credentials));
      clock.freeze(60_000);
      seen.push(await summary(credentials));
      await write('token', 'three');
      credentials.invalidate();
      seen.push(await summary(credentials));
      expect(seen.map(({ token, tls }) => [token, tls['ca']])).to.deep.equal([
        ['one', 'CA'],
        ['two', 'CA2'],
        ['three', 'CA2'],
      ]);
    });

    it('keeps the TLS options as long as the CA is the same', async () => {
      const credentials = await inClusterCredentials({ env: IN_CLUSTER, directory });
      const { tls } = credentials;
      credentials.invalidate();
      await credentials.bearerToken();
      expect(credentials.tls).to.equal(tls);
    });

    it('says what is missing', async () => {
      expect(await failure(inClusterCredentials({ env: {}, directory }))).to.deep.equal({
        code: 'KUBE_NO_CREDENTIALS',
        message: 'KUBERNETES_SERVICE_HOST is not set: run inside a pod, or name a kubeconfig',
        cause: undefined,
      });
      await rm(join(directory, 'token'));
      expect(await failure(inClusterCredentials({ env: IN_CLUSTER, directory }))).to.deep.equal({
        code: 'KUBE_NO_CREDENTIALS',
        message: 'cannot read /dir/token (ENOENT): the pod needs a mounted service account token',
        cause: undefined,
      });
    });
  });

  describe('kubeconfigCredentials', () => {
    const open = async (config: Kubeconfig): Promise<Credentials> =>
      kubeconfigCredentials({ kubeconfig: await write('config', kubeconfig(config)) });
    const base = { server: 'https://c.example:6443/base', namespace: 'ns-c' };
    const base64 = (text: string) => Buffer.from(text).toString('base64');

    it("uses a token and the cluster's TLS options", async () => {
      await write('ca.pem', 'CA');
      const cluster = { 'certificate-authority': 'ca.pem', 'tls-server-name': 'kube.example' };
      expect(await summary(await open({ cluster, user: { token: 'secret' } }))).to.deep.equal({
        ...base,
        token: 'secret',
        tls: { ca: 'CA', servername: 'kube.example' },
      });
    });

    it('uses a client certificate, and skips verification only when told', async () => {
      const user = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
      const cluster = { 'insecure-skip-tls-verify': true };
      const found = [await summary(await open({ user })), await summary(await open({ user, cluster }))];
      expect(found).to.deep.equal([
        { ...base, token: undefined, tls: { cert: 'CERT', key: 'KEY' } },
        { ...base, token: undefined, tls: { cert: 'CERT', key: 'KEY', rejectUnauthorized: 'false' } },
      ]);
    });

    it('reads a token file, relative to the kubeconfig, again when told', async () => {
      await write('tok', 'one\n');
      const credentials = await open({ user: { tokenFile: 'tok' } });
      const tokens = [await credentials.bearerToken()];
      await write('tok', 'two\n');
      credentials.invalidate();
      tokens.push(await credentials.bearerToken());
      expect(tokens).to.deep.equal(['one', 'two']);
    });

    it('reads the token file of a kubeconfig in YAML', async () => {
      const tokenFile = await write('tok', 'one');
      const text = [
        'current-context: c',
        'clusters: [{name: c, cluster: {server: "https://c.example"}}]',
        'contexts: [{name: c, context: {cluster: c, user: u}}]',
        'users:',
        '- name: u',
        '  user:',
        `    tokenFile: ${tokenFile}`,
      ].join('\n');
      const credentials = await kubeconfigCredentials({ kubeconfig: await write('config', text) });
      expect(await credentials.bearerToken()).to.equal('one');
    });

    const plugin = (script: string, extra: object = {}) => ({
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script], ...extra },
    });

    it('runs a credential plugin once, tells it what it expects, and runs it again when told', async () => {
      const script = `
        printf x >> "${directory}/runs"
        printf '%s' "$KUBERNETES_EXEC_INFO" > "${directory}/info"
        printf '{"status":{"token":"t%s"}}' "$(wc -c < "${directory}/runs" | tr -d ' ')"`;
      const credentials = await open({
        cluster: { 'certificate-authority-data': base64('CA') },
        user: plugin(script, { provideClusterInfo: true }),
      });
      const tokens = await Promise.all([credentials.bearerToken(), credentials.bearerToken()]);
      credentials.invalidate();
      tokens.push(await credentials.bearerToken());
      expect(tokens).to.deep.equal(['t1', 't1', 't2']);
      expect(JSON.parse(await readFile(join(directory, 'info'), 'utf8'))).to.deep.equal({
        apiVersion: 'client.authentication.k8s.io/v1',
        kind: 'ExecCredential',
        spec: {
          interactive: false,
          cluster: {
            server: base.server,
            'insecure-skip-tls-verify': false,
            'certificate-authority-data': base64('CA'),
          },
        },
      });
    });

    it('does not repeat what a failing plugin says', async () => {
      expect(await failure(open({ user: plugin('echo s3cret >&2; exit 1') }))).to.deep.equal({
        code: 'KUBE_NO_CREDENTIALS',
        message: 'the credential plugin sh failed: run it by hand to see why',
        cause: undefined,
      });
    });

    it('sends no credentials over plain http', async () => {
      const cluster = { server: 'http://127.0.0.1:8001' };
      expect(await summary(await open({ cluster, user: { token: 'secret' } }))).to.deep.equal({
        server: 'http://127.0.0.1:8001/',
        namespace: 'ns-c',
        token: undefined,
        tls: {},
      });
    });

    it('merges several files, of which the first counts and absent ones are skipped', async () => {
      const files = [
        join(directory, 'absent'),
        await write('one', kubeconfig({ user: { token: 'one' } })),
        await write('two', kubeconfig({ user: { token: 'two' } })),
        await write('other', kubeconfig({ name: 'd', user: { token: 'other' } })),
      ].join(delimiter);
      const found = await Promise.all([
        kubeconfigCredentials({ kubeconfig: files }),
        kubeconfigCredentials({ kubeconfig: files, context: 'd' }),
      ]);
      expect(
        (await Promise.all(found.map(summary))).map(({ server, token }) => [server, token]),
      ).to.deep.equal([
        ['https://c.example:6443/base', 'one'],
        ['https://d.example:6443/base', 'other'],
      ]);
    });

    const refused: readonly (readonly [string, Kubeconfig, string])[] = [
      ['a proxy', { cluster: { 'proxy-url': 'http://p' } }, 'proxy-url'],
      ['a password', { user: { username: 'u', password: 's3cret' } }, 'basic authentication'],
      ['impersonation', { user: { as: 'admin' } }, 'impersonation (as)'],
    ];
    for (const [what, config, named] of refused) {
      it(`rejects ${what} instead of doing without`, async () => {
        expect(await failure(open(config))).to.deep.equal({
          code: 'KUBE_NO_CREDENTIALS',
          message: `/dir/config: ${named} is not supported; use \`kubectl proxy\` and its address`,
          cause: undefined,
        });
      });
    }

    it('names the context that is not there', async () => {
      const path = await write('config', kubeconfig({}));
      expect((await failure(kubeconfigCredentials({ kubeconfig: path, context: 'x' }))).message).to.equal(
        '/dir/config has no context x; it has c',
      );
    });

    it('names the file that is not there', async () => {
      expect(
        (await failure(kubeconfigCredentials({ kubeconfig: join(directory, 'absent') }))).message,
      ).to.equal('there is no file /dir/absent: name a kubeconfig, set KUBECONFIG, or run inside a pod');
      expect((await failure(open({ user: { tokenFile: 'absent' } }))).message).to.equal(
        'the kubeconfig /dir/config cannot be used: a file it names (ENOENT); compare `kubectl config view`',
      );
    });

    it('does not quote a file that cannot be parsed', async () => {
      for (const text of ['token: s3cret\n\tbad: [', '', '5', 'clusters: [{}]']) {
        const path = await write('config', text);
        const { code, message, cause } = await failure(kubeconfigCredentials({ kubeconfig: path }));
        expect([code, message.includes('s3cret'), cause]).to.deep.equal([
          'KUBE_NO_CREDENTIALS',
          false,
          undefined,
        ]);
      }
    });
  });

  describe('loadCredentials', () => {
    const serverOf = async (...sources: Parameters<typeof loadCredentials>) =>
      (await loadCredentials(...sources)).server.hostname;

    it('prefers the named kubeconfig, then KUBECONFIG, then the pod', async () => {
      await Promise.all([write('token', 'one'), write('ca.crt', 'CA')]);
      const named = await write('named', kubeconfig({ name: 'named' }));
      const env = { ...IN_CLUSTER, KUBECONFIG: await write('env', kubeconfig({ name: 'env' })) };
      expect([
        await serverOf({ kubeconfig: named, env, directory }),
        await serverOf({ env, directory }),
        await serverOf({ env: IN_CLUSTER, directory }),
      ]).to.deep.equal(['named.example', 'env.example', '10.0.0.1']);
    });
  });
});
