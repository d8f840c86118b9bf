// The dashboard before a real Portico with real traffic: {url, web, ops, server, config} as JSON. What axe says of the pages is asked
// in states.mjs, where they are full.
import { readFile, writeFile } from 'node:fs/promises';
import { go, launch, none, open, overhang, PAGES, PHONE, same, Sentences, shot, until } from './browser.mjs';

const given = JSON.parse(process.argv[2]);
const sentences = new Sentences(), check = sentences.check.bind(sentences);
const browser = await launch();

const text = (page, selector) => page.locator(selector).first().textContent();

try {
    await check('every page shows what runs, in both themes', async () => {
        for (const scheme of ['light', 'dark']) {
            const page = await open(browser, given.url, { scheme, motion: 'reduce' });
            const wrong = [];
            for (const name of [...PAGES, 'routers/main%40file', 'services/main%40file', 'middlewares/limit%40file']) {
                await go(page, name);
                if (await page.locator('main .failed').count())
                    wrong.push(`${name}: ${await text(page, 'main .failed')}`);
                await shot(page, `real-${name.replace(/\W+/g, '-')}-${scheme}`);
            }
            none([...wrong, ...page.complaints], `in ${scheme}`);
            await page.context().close();
        }
    });

    // That a refused configuration is answered with 422 is what the last sentence wants.
    const page = await open(browser, given.url, { allowed: /422 .*\/reload/ });

    await check('numbers move', async () => {
        await page.waitForSelector('.tiles .big');
        await until(page, () => Number(document.querySelector('.tiles .big').textContent) > 1);
        const first = await text(page, '.pulse .num');
        await until(page, before => document.querySelector('.pulse .num').textContent !== before, first);
        await until(page, () => document.querySelector('.charts .line.main').getAttribute('d')?.length > 40);
    });

    await check('the map carries the traffic', async () => {
        await go(page, 'map');
        await page.locator('.map .box.router', { hasText: 'main' }).waitFor();
        await until(page, () => [...document.querySelectorAll('.map .dots')].some(line => line.dataset.speed));
        await page.locator('.map .box.server').first().click();
        await page.locator('.detail h2', { hasText: 'http://127.0.0.1' }).waitFor();
        await until(page, () => document.querySelector('.detail .facts dd')?.textContent !== '0');
    });

    await check('a request that failed says why and what to do', async () => {
        await go(page, 'requests?failed=true&search=dead');
        await page.locator('.requests .link').first().click();
        await page.locator('.why-box', { hasText: 'refused the connection' }).waitFor();
        same(await page.locator('.why-box .hint').count(), 1, 'hints');
        await page.locator('.timing .part').first().waitFor();
        await shot(page, 'real-request');
    });

    await check('requests come live', async () => {
        await go(page, 'requests');
        const first = await text(page, '.requests tbody tr');
        await until(page, before => document.querySelector('.requests tbody tr').textContent !== before, first);
    });

    await check('explain shows the way, and the matcher that failed', async () => {
        await go(page, 'explain');
        await page.getByLabel('URL').fill(`${given.web}/shop/x`);
        await page.getByRole('button', { name: 'Explain' }).click();
        await page.locator('.step', { hasText: 'main@file' }).first().waitFor();
        await page.locator('.step', { hasText: 'http://127.0.0.1' }).last().waitFor();
        await page.getByLabel('URL').fill(`${given.web}/elsewhere`);
        await page.getByRole('button', { name: 'Explain' }).click();
        await page.locator('.step.bad', { hasText: '404' }).waitFor();
        await page.locator('.tried', { hasText: "PathPrefix(`/shop`): the path is '/elsewhere'" }).waitFor();
        await shot(page, 'real-explain-404');
    });

    await check('a server is drained, gets nothing, and comes back', async () => {
        await go(page, 'services/main%40file');
        const row = page.locator('tr', { hasText: given.server });
        await row.getByRole('button', { name: 'Drain' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
        await page.locator('.notice').waitFor();
        await row.locator('.state', { hasText: 'draining' }).waitFor();
        await shot(page, 'real-drained');
        await row.getByRole('button', { name: 'As configured' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'As configured' }).click();
        await row.locator('.state', { hasText: 'ready' }).waitFor();
        await go(page, 'audit');
        await page.locator('tr', { hasText: given.server }).nth(1).waitFor();
    });

    await check('a refused configuration is shown with a caret', async () => {
        const before = await readFile(given.config, 'utf8');
        await writeFile(given.config, before.replace('"rateLimit"', '"rateLimt"'));
        await go(page, 'configuration');
        await page.getByRole('button', { name: 'Reload…' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click();
        await page.locator('.source b').first().waitFor();
        await shot(page, 'real-refused');
        await writeFile(given.config, before);
    });

    none(page.complaints);
    await page.context().close();

    await check('it works below another path, behind a password', async () => {
        const ops = await open(browser, given.ops, { httpCredentials: { username: 'admin', password: 'admin' } });
        await ops.waitForSelector('.tiles .big');
        await ops.waitForSelector('.pulse .good');
        await ops.locator('.badge', { hasText: 'as admin' }).waitFor();
        await go(ops, 'map');
        await ops.waitForSelector('.map .box');
        none(ops.complaints);
        await ops.context().close();
    });

    await check('it fits a phone', async () => {
        const phone = await open(browser, given.url, { viewport: PHONE, motion: 'reduce' });
        const wide = [];
        for (const name of PAGES) {
            await go(phone, name);
            if (await overhang(phone) > 0)
                wide.push(name);
            await shot(phone, `real-${name.replace(/\W+/g, '-')}-phone`);
        }
        none([...wide, ...phone.complaints], 'too wide, or complaints');
        await phone.context().close();
    });
} catch (error) {
    console.log(`not ok - ${error.stack}`);
    sentences.failed++;
} finally {
    await browser.close();
}
process.exit(sentences.failed ? 1 : 0);
