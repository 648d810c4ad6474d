/** Is called by the coordinator, and asks the validator on behalf of that call. */

import { loadAgent } from 'agent-trust/sdk';

const WEB = 'namespaces/staging/deployments/web';

const agent = await loadAgent();
const { port } = await agent.serve(async (_request, call) => {
  call.require('kubectl_get', WEB);
  const check = await call.fetch('https://agent-validator:8443/v1/delegate', {
    method: 'POST',
    delegate: { capabilities: [{ name: 'kubectl_get', resources: [WEB] }] },
  });
  return Response.json({ agent: agent.name, for: call.principal, validator: await check.json() });
});
console.log(`${agent.name} listens on ${port}`);
