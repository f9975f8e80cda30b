import { BackgroundJob, type BotEvent, type Run, type Services } from 'pinstripe-bot';

interface Database {
    ping(): Promise<boolean>;
}

declare module 'pinstripe-bot' {
    interface Services {
        readonly appDatabase: Database;
    }
}

export async function use(services: Services): Promise<boolean> {
    // @ts-expect-error: the app has described this service
    services.appDatabase.nonsense();
    const runs: Run[] = await services.bot.runBackgroundJobs(0);
    await services.runBackgroundJob('my-task', 'a', { b: 1 });
    console.log(runs.length, BackgroundJob.names, BackgroundJob.for('my-task').schedules);
    return services.appDatabase.ping();
}

export function isTrouble(event: BotEvent): boolean {
    return event.type === 'run-ended' && event.run.outcome !== 'succeeded';
}
