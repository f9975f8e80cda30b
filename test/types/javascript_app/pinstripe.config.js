/** @type {{ bot: import('pinstripe-bot').BotConfig | false }} */
const config = {
    bot: { timezone: 'Europe/London', stopTimeout: '25s', journal: { retention: '7d' } },
};

export default config;
