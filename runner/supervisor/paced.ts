/**
 * Does `work` when it is called, but at most every `everyMs`: calls that come sooner are one call at the end of that time. What is started by
 * messages costs the same however many of them come.
 */
export function paced(work: () => void, everyMs: number): () => void {
  let notBefore = 0;
  let timer: NodeJS.Timeout | undefined;

  function go(): void {
    timer = undefined;
    notBefore = performance.now() + everyMs;
    work();
  }

  return () => {
    if (timer) return;
    const early = notBefore - performance.now();
    if (early <= 0) go();
    else timer = setTimeout(go, early).unref();
  };
}
