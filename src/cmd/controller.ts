/** Entry of the controller process. */

import { parseConfig } from './config.ts';
import { operatorComponents } from './operator.ts';
import { runProcess } from './run-process.ts';

await runProcess({
  parsed: parseConfig(process.argv.slice(2)),
  components: operatorComponents,
  withoutNamespaces: 'no namespace is governed: nothing will be issued; set --namespaces',
});
