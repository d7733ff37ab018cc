/** A PDF of one page with one line of text, or with the given content stream, `/Length` included. */
export function pdf(text: string, stream?: { content: Uint8Array; filter: string }): Buffer {
  const content = stream?.content ?? Buffer.from(`BT /F1 18 Tf 20 100 Td (${text}) Tj ET`);
  return Buffer.concat([
    Buffer.from(`%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj
4 0 obj<</Length ${content.length}${stream ? `/Filter${stream.filter}` : ''}>>stream
`),
    content,
    Buffer.from(`
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>`),
  ]);
}
