const clearings = new Set<() => void>();

process.on('exit', () => {
    for (const clear of clearings) clear();
});

/** Clears up when the test's process ends, however: a test that fails leaves nothing behind. It cannot wait. */
export function atExit(clear: () => void): void {
    clearings.add(clear);
}
