import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEngine } from '../../lib/engines/embedded/engine.js';
import type { EngineHost } from '../../lib/runs/engine.js';
import { testEngine } from './suite.js';

testEngine('embedded', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pinstripe-bot-journal-'));
    const filename = join(folder, 'bot.db');
    return {
        createEngine: () => new JournalledEngine(filename),
        destroy: () => rm(folder, { recursive: true, force: true }),
    };
});

class JournalledEngine extends EmbeddedEngine {
    constructor(private readonly filename: string) {
        super();
    }

    override open(host: EngineHost): Promise<void> {
        return super.open({ ...host, journal: { ...host.journal, filename: this.filename } });
    }
}
