/** Is called by the deployer, and says along which path the call came. */

import { loadAgent } from 'agent-trust/sdk';

const agent = await loadAgent();
const { port } = await agent.serve((_request, call) => {
  call.require('kubectl_get', 'namespaces/staging/deployments/web');
  return Response.json({ agent: agent.name, path: call.path });
});
console.log(`${agent.name} listens on ${port}`);
