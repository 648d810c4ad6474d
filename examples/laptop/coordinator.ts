/** Asks the deployer how the web deployment stands, and says what came back. */

import { CallFailed, loadAgent } from 'agent-trust/sdk';

const agent = await loadAgent();
try {
  const answer = await agent.fetch('https://agent-deployer:8443/v1/delegate', {
    method: 'POST',
    body: JSON.stringify({ task: 'show the web deployment' }),
    delegate: {
      capabilities: [{ name: 'kubectl_get', resources: ['namespaces/staging/deployments/web'] }],
    },
  });
  console.log(await answer.text());
} catch (error) {
  if (!(error instanceof CallFailed)) throw error;
  console.log(`no: ${error.message}`);
} finally {
  await agent.close();
}
