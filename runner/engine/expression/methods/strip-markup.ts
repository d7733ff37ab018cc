/** Removes HTML and XML tags. */
export function stripTags(text: string): string {
  return text.replaceAll(/<[^<>]*>/g, '');
}

/** Removes what Markdown and HTML add to a text: headings, emphasis, links, images, code marks, quotes, list marks, rules. */
export function stripMarkdown(text: string): string {
  return stripTags(text)
    .replaceAll(/^ {0,3}(?:[-*_] *){3,}$/gm, '')
    .replaceAll(/^ {0,3}(?:```|~~~)[^\n]*$/gm, '')
    .replaceAll(/^ {0,3}#{1,6} +|^ {0,3}> ?|^ {0,8}(?:[-*+]|\d{1,9}[.)]) +/gm, '')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/!?\[([^\]]*)\]\[[^\]]*\]/g, '$1')
    .replaceAll(/(\*\*|__|~~)(?=\S)(.*?\S)\1/g, '$2')
    .replaceAll(/(^|[^\w*])([*_])(?=\S)(.*?\S)\2(?![\w*])/g, '$1$3')
    .replaceAll(/(`+)([^`]+)\1/g, '$2');
}
