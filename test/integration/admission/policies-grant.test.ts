/** What the API server alone says to who gives agents capabilities and ServiceAccounts, while nothing of the operator runs. */

import {
  apply,
  create,
  type Manifest,
  mergePatch,
  type Request,
  remove,
  type Target,
  update,
} from '../../support/admission/request.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { AGENTS } from '../../support/swarm.ts';
import { AUTHOR, EDITOR, ELSEWHERE, GRANTED, GRANTER, SECURITY, usePoliciesWorld } from './policies-world.ts';

function identity(name: string, spec: object = {}, namespace: string = AGENTS): Manifest {
  return { kind: 'AgentIdentity', metadata: { name, namespace }, spec };
}

function agent(name: string): Target {
  return { kind: 'AgentIdentity', namespace: AGENTS, name };
}

function specOf(name: string, spec: object): Request {
  return mergePatch(agent(name), { spec });
}

/** The API server sees other objects than the one it is asked about through a cache. */
function soon(check: () => Promise<void>): Promise<true> {
  return eventually('the cache of the API server to follow', async () => {
    await check();
    return true;
  });
}

describe('the admission policies on what an agent is', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const world = usePoliciesWorld(controlPlane);
  before(() => world().create([identity('edited')]));

  describe('about grant', () => {
    const HELD = [
      { name: 'held' },
      { name: 'limited', resources: ['a/*', 'b'] },
      { name: 'invoked', use: 'Invoke' },
    ];
    const missing = (capability: string, policy = 'grant-1') => ({
      policy,
      says: `spec.capabilities: adding ${capability}, or widening it, needs the verb grant on capabilities.agenttrust.dev/${capability} in namespace ${AGENTS}. Ask for it, or leave this capability as it was`,
    });
    const all = [...GRANTED, 'c63'].map((name) => ({ name }));
    before(() =>
      world().create([identity('holder', { capabilities: HELD }), identity('full', { capabilities: all })]),
    );

    it('reject a capability that is added without the right to grant it', async () => {
      const one = identity('new', { capabilities: [{ name: 'c1' }] });
      await world().rejects(create(one), EDITOR, missing('c1'));
      await world().accepts(create(one), GRANTER);
      const two = identity('new', { capabilities: [{ name: 'c1' }, { name: 'kubectl_apply' }] });
      await world().rejects(create(two), GRANTER, missing('kubectl_apply'));
      await world().rejects(apply(two), GRANTER, missing('kubectl_apply'));
      await world().accepts(create(two), SECURITY);
    });

    it('ask about every capability of as many as there can be', async () => {
      await world().rejects(
        create(identity('new', { capabilities: all })),
        GRANTER,
        missing('c63', 'grant-4'),
      );
      await world().accepts(create(identity('new', { capabilities: all.slice(0, -1) })), GRANTER);
      await world().accepts(create(identity('new', { capabilities: all })), SECURITY);
      const grown = all.map((each) =>
        each.name === 'c40' ? { ...each, use: 'Invoke' } : { ...each, use: 'Delegate' },
      );
      await world().accepts(specOf('full', { capabilities: grown }), EDITOR);
    });

    const WIDER: readonly (readonly [string, { readonly name: string }])[] = [
      ['another name', { name: 'other' }],
      ['one resource more', { name: 'limited', resources: ['a/*', 'b', 'c'] } as { name: string }],
      ['another resource', { name: 'limited', resources: ['c'] } as { name: string }],
      [
        'a resource inside of one that is held, which only the webhook can see',
        { name: 'limited', resources: ['a/x'] } as { name: string },
      ],
      ['the end of its limit', { name: 'limited' }],
      ['the other use', { name: 'invoked', use: 'Delegate' } as { name: string }],
      ['both uses', { name: 'invoked' }],
    ];
    for (const [title, entry] of WIDER) {
      it(`reject ${title}`, async () => {
        const others = HELD.filter(({ name }) => name !== entry.name);
        const spec = { capabilities: [...others, entry] };
        await world().rejects(specOf('holder', spec), EDITOR, missing(entry.name));
        await world().rejects(update(agent('holder'), { spec }), EDITOR, missing(entry.name));
        await world().accepts(specOf('holder', spec), SECURITY);
      });
    }

    const NARROWER: readonly (readonly [string, readonly object[] | null])[] = [
      ['one capability less', HELD.slice(1)],
      ['none any more', null],
      ['one resource less', [{ name: 'limited', resources: ['b'] }]],
      ['another order', [{ name: 'limited', resources: ['b', 'a/*'] }, { name: 'held' }]],
      ['a limit where there was none', [{ name: 'held', resources: ['a'] }]],
      ['one use of two', [{ name: 'held', use: 'Delegate' }]],
    ];
    for (const [title, capabilities] of NARROWER) {
      it(`accept ${title}`, () => world().accepts(specOf('holder', { capabilities }), EDITOR));
    }

    it('accept whatever leaves them as they were, a kill above all', async () => {
      await world().accepts(mergePatch(agent('holder'), { metadata: { labels: { team: 'red' } } }), EDITOR);
      await world().accepts(specOf('full', { suspended: true }), EDITOR);
      await world().accepts(remove(agent('full')), EDITOR);
    });
  });

  describe('about the ServiceAccount', () => {
    it('reject who may not make a token of it', async () => {
      const says = (name: string) =>
        `spec.serviceAccountName: the certificate of this agent is worth a token of ServiceAccount ${name}, which you may not make. Ask for the verb create on serviceaccounts/token, resourceName ${name}, in namespace ${AGENTS}`;
      await world().rejects(create(identity('new')), AUTHOR, { policy: 'account-token', says: says('new') });
      const other = create(identity('new', { serviceAccountName: 'database' }));
      await world().rejects(other, AUTHOR, { policy: 'account-token', says: says('database') });
      await world().accepts(other, EDITOR);
    });

    it('accept later edits without that right', async () => {
      await world().accepts(specOf('edited', { server: { port: 9443 } }), AUTHOR);
    });

    it('reject a second agent on one, and accept another edit of the first', async () => {
      await world().create([identity('first', { serviceAccountName: 'shared' })]);
      const rejection = (account: string, holder: string) => ({
        policy: 'account-unique',
        status: 422,
        says: `spec.serviceAccountName: ServiceAccount ${account} is the identity of AgentIdentity ${holder}. Name another ServiceAccount, or delete that AgentIdentity`,
      });
      const second = create(identity('second', { serviceAccountName: 'shared' }));
      await soon(() => world().rejects(second, EDITOR, rejection('shared', 'first')));
      await world().rejects(create(identity('shared')), undefined, rejection('shared', 'first'));
      await world().rejects(
        create(identity('third', { serviceAccountName: 'edited' })),
        EDITOR,
        rejection('edited', 'edited'),
      );
      await world().accepts(create(identity('first-of-all')), EDITOR);
      await world().accepts(specOf('first', { server: { port: 9443 } }), EDITOR);
      await world().accepts(create(identity('shared', {}, ELSEWHERE)));
    });
  });
});
