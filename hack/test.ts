/** `npm test [-- GLOB...]`: the whole suite, or the test files named; builds the Kubernetes programs first if needed. */

import { spawn } from 'node:child_process';
import { matchesGlob } from 'node:path';
import { ensureAlertRules } from './alert-rules/alert-rules.ts';
import { ROOT } from './checks.ts';
import { runMain } from './control-plane/command-error.ts';
import { streamProgress } from './control-plane/progress.ts';
import { ensureTools } from './control-plane/tools.ts';
import { ensureEnvoy } from './envoy/envoy.ts';
import { ensureIstioFilters } from './istio-filters/istio-filters.ts';

const ALL_TESTS = 'test/**/*.test.ts';
const UNIT_TESTS = 'test/unit/';
/** They ask a real Envoy, and Istio's own code. */
const MESH_TESTS = 'test/integration/mesh/';
/** They ask Prometheus' own code. */
const ALERT_TESTS = 'test/integration/alerts.test.ts';
// the one unit test that needs them: it compares generated files, which helm renders
const CHECKS_TEST = 'test/unit/repository/checks.test.ts';

await runMain(async () => {
  const globs = process.argv.length > 2 ? process.argv.slice(2) : [ALL_TESTS];
  const env = { ...process.env };
  // nobody waits for a build to run a few unit tests
  if (globs.some((glob) => !glob.startsWith(UNIT_TESTS) || matchesGlob(CHECKS_TEST, glob))) {
    const { directory } = await ensureTools({ progress: streamProgress(process.stderr) });
    env['AGENT_TRUST_TOOLS'] = directory;
  }
  const runs = (tests: string): boolean =>
    globs.some(
      (glob) => glob === ALL_TESTS || glob.startsWith(tests) || glob.startsWith('test/integration/*'),
    );
  if (runs(MESH_TESTS)) {
    await ensureIstioFilters({ progress: streamProgress(process.stderr) });
    await ensureEnvoy({ progress: streamProgress(process.stderr) });
  }
  if (runs(ALERT_TESTS)) await ensureAlertRules({ progress: streamProgress(process.stderr) });
  return mocha(globs, env);
});

function mocha(globs: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const args = ['node_modules/mocha/bin/mocha.js', '--parallel', '--jobs', '2', ...globs];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
  // Ctrl-C reaches mocha too; this process waits for it to put things away
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.once('error', reject);
  child.once('exit', (status) => resolve(status ?? 1));
  return promise;
}
