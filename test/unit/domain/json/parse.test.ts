import { expect } from 'chai';
import fc from 'fast-check';
import { Members } from '../../../../src/domain/json/members.ts';
import { type JsonValue, parseJson } from '../../../../src/domain/json/parse.ts';
import { readStrictly } from '../../../support/token/reference-json.ts';

/** With objects as JSON.parse makes them. */
function plain(value: JsonValue): unknown {
  if (value instanceof Members)
    return Object.fromEntries([...value].map(([name, each]) => [name, plain(each)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

function read(text: string): unknown {
  const result = parseJson(text, 10_000);
  return result.kind === 'value' ? plain(result.value) : undefined;
}

describe('parseJson', () => {
  for (const text of [
    '{}',
    '[]',
    ' {"a" : [1, -2, 0, true, false, null, "x"] }\n',
    '"\\u0041\\n\\"é\\ud83d\\ude00"',
    '"é"',
    '9007199254740991',
    '{"":{"":""}}',
    `${'['.repeat(16)}1${']'.repeat(16)}`,
  ])
    it(`accepts ${text.slice(0, 40)}`, () => expect(read(text)).to.deep.equal(JSON.parse(text)));

  for (const [text, problem] of [
    ['{"a":1,"a":1}', 'has a member twice'],
    ['{"a":1,"\\u0061":2}', 'has a member twice'],
    ['{"a":{"b":1,"b":2}}', 'has a member twice'],
    ['1.0', 'has something that is neither a value nor an integer'],
    ['1e3', 'has something that is neither a value nor an integer'],
    ['-0', 'has something that is neither a value nor an integer'],
    ['01', 'has something that is neither a value nor an integer'],
    ['9007199254740992', 'has something that is neither a value nor an integer'],
    ['', 'has something that is neither a value nor an integer'],
    ['{"a"}', 'has a member without a value'],
    ['{a:1}', 'has a member without a name'],
    ['{"a":1,}', 'has a member without a name'],
    ['[1,]', 'has something that is neither a value nor an integer'],
    ['[1', 'has a list without an end'],
    ['{"a":1', 'has an object without an end'],
    ['"a', 'has a string that is none'],
    ['"\\x"', 'has a string that is none'],
    ['"\\ud800"', 'has a string that is none'],
    ['"a\nb"', 'has a string that is none'],
    ['nul', 'has a word that is no value'],
    ['1 2', 'goes on after its value'],
    [`${'['.repeat(17)}1${']'.repeat(17)}`, 'is nested deeper than 16'],
  ] as const)
    it(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
      expect(parseJson(text, 10_000)).to.deep.equal({ kind: 'problem', problem });
    });

  it('refuses a text that is longer than allowed', () => {
    expect(parseJson('"abc"', 5).kind).to.equal('value');
    expect(parseJson('"abc"', 4)).to.deep.equal({ kind: 'problem', problem: 'is longer than 4 characters' });
  });

  it('keeps every member name, whatever it means to JavaScript', () => {
    const result = parseJson('{"__proto__":1,"constructor":2}', 100);
    const members = result.kind === 'value' && result.value instanceof Members ? [...result.value] : [];
    expect(members).to.deep.equal([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
  });

  it('reads texts close to JSON exactly as the language does, where it reads them', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '"\\u0061"',
      '"\\',
      '"',
      '1',
      '-1',
      '0',
      '1.5',
      '1e2',
      'true',
      'null',
      ' ',
      '\n',
      'é',
    ];
    const near = fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(near, (text) => {
        expect(read(text)).to.deep.equal(readStrictly(Buffer.from(text)));
      }),
      { numRuns: 5000 },
    );
  });
});
