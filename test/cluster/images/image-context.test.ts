import { expect, test } from '@jest/globals';

import { parseDockerignore } from './image-context.ts';

test('the forms that .dockerignore uses are told apart', () => {
  expect(parseDockerignore('# a comment\n*\n!api\n!package.json\n\n**/*.test.ts\n**/testdata\n')).toEqual({
    taken: ['api', 'package.json'],
    endings: ['.test.ts'],
    folders: ['testdata'],
  });
});

test.each(['api/*.md', 'node_modules', '!api/main.ts'])('%s is refused, as it would be ignored silently otherwise', (line) => {
  expect(() => parseDockerignore(`*\n${line}`)).toThrow(line);
});
