/** Programs that open links they find, so that a preview in a chat does not start a workflow. */
const bots = /bot\b|bot[/;]|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|slack-imgproxy|skypeuripreview|embedly|headlesschrome|lighthouse|archiver/i;

/** Whether a User-Agent says that it is no person and no program that was told to call. */
export function isBot(userAgent: string | undefined): boolean {
  return userAgent !== undefined && bots.test(userAgent);
}
