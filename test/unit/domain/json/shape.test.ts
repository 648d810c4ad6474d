import { expect } from 'chai';
import { type JsonValue, parseJson } from '../../../../src/domain/json/parse.ts';
import {
  Fault,
  integer,
  list,
  object,
  optional,
  record,
  type Shape,
  text,
} from '../../../../src/domain/json/shape.ts';

interface Order {
  readonly count: number;
  readonly lines?: readonly { readonly name: string }[];
}

const order: Shape<Order> = object<Order>({
  count: integer(1, 5),
  lines: optional(
    list(object<{ readonly name: string }>({ name: text((name) => name !== '') }), { most: 2 }),
  ),
});

function value(json: string): JsonValue {
  const result = parseJson(json, 1000);
  if (result.kind === 'problem') throw new Error(result.problem);
  return result.value;
}

describe('object', () => {
  it('accepts exactly its members, with and without those that may be absent', () => {
    expect(order(value('{"count":1}'))).to.deep.equal({ count: 1 });
    expect(order(value('{"lines":[{"name":"x"}],"count":5}'))).to.deep.equal({
      count: 5,
      lines: [{ name: 'x' }],
    });
  });

  for (const [json, kind, at] of [
    ['{}', 'malformed', 'count'],
    ['[]', 'malformed', ''],
    ['{"count":6}', 'malformed', 'count'],
    ['{"count":"1"}', 'malformed', 'count'],
    ['{"count":1,"lines":[{}]}', 'malformed', 'lines.name'],
    ['{"count":1,"lines":[{"name":"x"},{"name":"x"},{"name":"x"}]}', 'malformed', 'lines'],
    ['{"count":1,"lines":null}', 'malformed', 'lines'],
    ['{"count":1,"more":1}', 'unknown', ''],
    ['{"count":1,"__proto__":{}}', 'unknown', ''],
    ['{"count":1,"lines":[{"name":"x","more":1}]}', 'unknown', 'lines'],
    ['{"count":1,"lines":[{"name":"x","more":1},{"name":""}]}', 'malformed', 'lines.name'],
    ['{"count":9,"more":1}', 'malformed', 'count'],
  ] as const)
    it(`finds ${json} ${kind} at "${at}"`, () => {
      const result = order(value(json));
      expect(result instanceof Fault ? { kind: result.kind, at: result.at } : result).to.deep.equal({
        kind,
        at,
      });
    });
});

describe('record', () => {
  const counts = record((name) => name.startsWith('a'), integer(0, 9), 2);

  it('accepts members whose names are of their form, whatever they mean to JavaScript', () => {
    expect(counts(value('{"a":1,"a__proto__":2}'))).to.deep.equal(
      new Map([
        ['a', 1],
        ['a__proto__', 2],
      ]),
    );
  });

  for (const json of ['{"b":1}', '{"a":10}', '{"a1":1,"a2":1,"a3":1}', '[]', 'null'])
    it(`refuses ${json}`, () => expect(counts(value(json))).to.be.instanceOf(Fault));
});
