import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';
import { markdownToHtml } from './to-html.ts';

test.each([
  ['# A b!\n# A b', {}, '<h1 id="ab">A b!</h1>\n<h1 id="ab-1">A b</h1>'], ['# A b', { ghCompatibleHeaderId: true, headerLevelStart: 2 }, '<h2 id="a-b">A b</h2>'], ['# A', { noHeaderId: true }, '<h1>A</h1>'],
  ['~~x~~ http://x.y', {}, '<p>~~x~~ http://x.y</p>'], ['~~x~~', { strikethrough: true }, '<p><del>x</del></p>'], ['http://x.y', { simplifiedAutoLink: true }, '<p><a href="http://x.y">http://x.y</a></p>'],
  ['a\nb', {}, '<p>a\nb</p>'], ['a\nb', { simpleLineBreaks: true }, '<p>a<br />\nb</p>'], ['- [x] d', {}, '<ul>\n<li>[x] d</li>\n</ul>'],
  ['```js\na < "b"\n```', {}, '<pre><code class="js language-js">a &lt; "b"\n</code></pre>'], ['> q', {}, '<blockquote>\n  <p>q</p>\n</blockquote>'],
  ['|a|\n|-:|\n|1|', { tables: true }, '<table>\n<thead>\n<tr>\n<th style="text-align:right;">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td style="text-align:right;">1</td>\n</tr>\n</tbody>\n</table>'],
  ['[l](http://z "t")', { openLinksInNewWindow: true }, '<p><a href="http://z" title="t" rel="noopener noreferrer" target="_blank">l</a></p>'],
])('writes %p with %p', (markdown, options, html) => expect(markdownToHtml(markdown, options)).toBe(html));

test('reads HTML with options', async () => {
  const parameters = { html: '<p><em>a</em><img src="x"><a href="u">l</a></p><ul><li>i</li></ul>', destinationKey: 'out.md', options: { ignore: 'a, img', emDelimiter: '*', bulletMarker: '-' } };
  expect((await runNode({ type: 'markdown', items: [{ keep: 1 }], parameters })).json).toEqual([[{ keep: 1, out: { md: '*a*\n\n- i' } }]]);
});
