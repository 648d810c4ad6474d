/** `npm run check`: runs all checks, two at a time, and prints one line for each, and what those that failed said. */

import { CHECKS, type Check, type CheckResult, runCheck } from './checks.ts';
import { runMain } from './control-plane/command-error.ts';
import { streamProgress } from './control-plane/progress.ts';
import { ensureTools } from './control-plane/tools.ts';

const AT_ONCE = 2;

await runMain(async () => {
  // generated files are compared with what helm renders
  const { directory } = await ensureTools({ progress: streamProgress(process.stderr) });
  process.env['AGENT_TRUST_TOOLS'] = directory;
  const failed: { readonly check: Check; readonly result: CheckResult }[] = [];
  const waiting = CHECKS.values();
  const work = async (): Promise<void> => {
    for (const check of waiting) {
      if (check.skipReason !== undefined) {
        print(check.name, `skipped: ${check.skipReason}`);
        continue;
      }
      const result = await runCheck(check);
      print(check.name, `${result.passed ? 'ok' : 'FAILED'}  ${result.seconds.toFixed(1)} s`);
      if (!result.passed) failed.push({ check, result });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const { check, result } of failed) process.stdout.write(`\n${check.name}:\n${result.output}`);
  return failed.length > 0 ? 1 : 0;
});

function print(name: string, result: string): void {
  process.stdout.write(`${name.padEnd(16)} ${result}\n`);
}
