import { describe, expect, test } from 'vitest';
import { buildFile, entry } from '../../test/build-file.ts';
import { FormatError } from '../errors.ts';
import { MAX_HEADER_BYTES, readHeader } from './header.ts';

const one = entry('F32', [1], [0, 4]);

describe('readHeader', () => {
  test('gives names, types, shapes, places and metadata', () => {
    const header = `{"__metadata__":{"format":"pt"},"b":${entry('U8', [], [8, 9])},"a":${entry('F32', [1, 2], [0, 8])}}  `;
    const file = buildFile(header, new Uint8Array(9));
    expect(readHeader(file)).toEqual({
      entries: [
        { name: 'b', type: { name: 'U8', bytes: 1, dtype: 'uint8' }, shape: [], begin: 8, end: 9 },
        { name: 'a', type: { name: 'F32', bytes: 4, dtype: 'float32' }, shape: [1, 2], begin: 0, end: 8 },
      ],
      metadata: { format: 'pt' },
      dataStart: 8 + header.length,
    });
  });

  test('an empty header is a file without tensors', () => {
    expect(readHeader(buildFile('{}'))).toEqual({ entries: [], metadata: {}, dataStart: 10 });
  });

  test('tensors without elements may lie anywhere between others', () => {
    const file = buildFile(`{"a":${one},"empty":${entry('F64', [0, 3], [4, 4])},"b":${entry('F32', [1], [4, 8])}}`, new Uint8Array(8));
    expect(readHeader(file).entries).toHaveLength(3);
  });

  const data = new Uint8Array(4);
  const bad: Readonly<Record<string, [file: Uint8Array, message: RegExp]>> = {
    'no bytes': [new Uint8Array(), /at least 8 bytes, got 0/],
    'seven bytes': [new Uint8Array(7), /at least 8 bytes, got 7/],
    'a header beyond the file': [buildFile('{}', [], 3), /a header of 3 bytes, got 2 bytes in all/],
    'a header above the limit': [buildFile('{}', [], MAX_HEADER_BYTES + 1), /at most 100000000 bytes/],
    'a length of 2^64 - 1': [new Uint8Array(16).fill(255), /at most 100000000 bytes/],
    'an empty header': [buildFile(''), /begins with \{, got an empty one/],
    'a header that begins with a space': [buildFile(' {}'), /begins with \{/],
    'a header that is an array': [buildFile('[]'), /begins with \{/],
    'bad UTF-8': [buildFile(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /UTF-8/],
    'bad JSON': [buildFile('{"a":}'), /in JSON/],
    'JSON with something behind it': [buildFile('{}x'), /in JSON/],
    'JSON with a zero byte behind it': [buildFile('{}\0'), /in JSON/],
    'a name twice': [buildFile(`{"a":${one},"a":${one}}`, data), /once, got "a" twice/],
    'a name twice, escaped': [buildFile(String.raw`{"a":${one},"\u0061":${one}}`, data), /once, got "a" twice/],
    'a field twice': [buildFile('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', data), /once, got "shape" twice/],
    'a metadata key twice': [buildFile('{"__metadata__":{"k":"1","k":"2"}}'), /once, got "k" twice/],
    'metadata that are a string': [buildFile('{"__metadata__":"x"}'), /to be an object, got "x"/],
    'metadata that are null': [buildFile('{"__metadata__":null}'), /to be an object, got null/],
    'metadata with a number': [buildFile('{"__metadata__":{"k":1}}'), /to hold strings, got 1 for "k"/],
    'an entry that is null': [buildFile('{"a":null}'), /for "a", got null/],
    'an entry that is an array': [buildFile('{"a":[]}'), /for "a", got \[\]/],
    'an entry without fields': [buildFile('{"a":{}}'), /a dtype of I64, F64.* for "a", got nothing/],
    'an unknown dtype': [buildFile(`{"a":${entry('F8_E4M3', [1], [0, 1])}}`, [0]), /a dtype of .*, got "F8_E4M3"/],
    'a dtype that is a property of every object': [buildFile(`{"a":${entry('toString', [1], [0, 1])}}`, [0]), /a dtype of/],
    'no shape': [buildFile('{"a":{"dtype":"F32","data_offsets":[0,4]}}', data), /a shape .* got nothing/],
    'a negative size': [buildFile(`{"a":${entry('F32', [-1], [0, 4])}}`, data), /a shape of whole numbers/],
    'a fractional size': [buildFile(`{"a":${entry('F32', [0.5, 2], [0, 4])}}`, data), /a shape of whole numbers/],
    'a size past 2^53': [buildFile('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}', data), /a shape of whole numbers/],
    'a size that is a string': [buildFile('{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}', data), /a shape of whole numbers/],
    'thirteen axes': [
      buildFile(
        `{"a":${entry(
          'F32',
          Array.from({ length: 13 }, () => 1),
          [0, 4],
        )}}`,
        data,
      ),
      /at most 12 axes/,
    ],
    'one offset': [buildFile(`{"a":${entry('F32', [1], [0])}}`, data), /two data_offsets/],
    'three offsets': [buildFile(`{"a":${entry('F32', [1], [0, 4, 8])}}`, data), /two data_offsets/],
    'a negative offset': [buildFile(`{"a":${entry('F32', [1], [-4, 0])}}`, data), /two data_offsets/],
    'offsets out of order': [buildFile(`{"a":${entry('F32', [1], [4, 0])}}`, data), /in order, got \[4, 0\]/],
    'fewer bytes than elements': [buildFile(`{"a":${entry('F32', [2], [0, 4])}}`, data), /8 bytes for "a", F32 \[2\], got 4/],
    'more bytes than elements': [buildFile(`{"a":${entry('U8', [2], [0, 4])}}`, data), /2 bytes for "a", U8 \[2\], got 4/],
    'a product past 2^53': [buildFile(`{"a":${entry('U8', [2 ** 32, 2 ** 32], [0, 4])}}`, data), /bytes for "a"/],
    'a hole at the start': [buildFile(`{"a":${entry('F32', [1], [1, 5])}}`, new Uint8Array(5)), /offset 0, got 1, which leaves a hole/],
    'a hole in the middle': [
      buildFile(`{"a":${one},"b":${entry('F32', [1], [5, 9])}}`, new Uint8Array(9)),
      /data of "b" at offset 4, got 5, which leaves a hole/,
    ],
    'an overlap': [buildFile(`{"a":${one},"b":${entry('F32', [1], [2, 6])}}`, new Uint8Array(6)), /data of "b" at offset 4, got 2, which overlaps/],
    'the same bytes twice': [buildFile(`{"a":${one},"b":${one}}`, data), /which overlaps/],
    'less data than the header says': [buildFile(`{"a":${one}}`, [0, 0, 0]), /4 bytes of data, got 3/],
    'more data than the header says': [buildFile(`{"a":${one}}`, new Uint8Array(5)), /4 bytes of data, got 5/],
  };

  test.each(Object.entries(bad))('refuses %s', (_, [file, message]) => {
    expect(() => readHeader(file)).toThrow(FormatError);
    expect(() => readHeader(file)).toThrow(message);
  });

  test.each(Object.entries(bad))('says of %s what was expected, what came and what to do, and leaves the bytes', (_, [file]) => {
    const before = file.slice();
    const text = expect.stringMatching(/\w/) as string;
    const parts = {
      code: 'FORMAT',
      name: 'FormatError',
      op: 'decodeSafetensors',
      expected: text,
      got: expect.stringMatching(/./) as string,
      fix: text,
    };
    expect(() => readHeader(file)).toThrow(
      expect.objectContaining({ ...parts, message: expect.stringMatching(/ expected .+, got .+\. Fix: .+/s) as string }),
    );
    expect(file).toEqual(before);
  });
});
