// The process of one contender with one number of schedules: node contender.js <name> <count>
import type { Figures } from './figures.js';
import { scheduleMix } from './schedule_mix.js';

async function measure(name: string, count: number): Promise<Figures> {
    const mix = scheduleMix(count);
    // Imported here, so that no contender carries the others in its heap.
    if (name === 'pinstripe-bot') return (await import('./measure_timetable.js')).measureTimetable(mix);
    if (name === 'pinstripe') return (await import('./measure_framework.js')).measureFramework(mix);
    return (await import('./measure_peer.js')).measurePeer(name, mix);
}

const [, , name = '', count = ''] = process.argv;
const figures = await measure(name, Number(count));
process.send?.(figures, () => process.exit());
