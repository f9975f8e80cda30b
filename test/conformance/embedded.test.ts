import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEngine } from '../../lib/engines/embedded/engine.js';
import { testEngine } from './suite.js';

testEngine('embedded', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pinstripe-bot-journal-'));
    return {
        createEngine: () => {
            const engine = new EmbeddedEngine();
            const open = engine.open.bind(engine);
            engine.open = (host) =>
                open({ ...host, journal: { ...host.journal, filename: join(folder, 'bot.db') } });
            return engine;
        },
        destroy: () => rmSync(folder, { recursive: true }),
        patience: 5_000,
    };
});
