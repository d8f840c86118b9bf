// Runs before the first paint, so that a page in the other theme never flashes up.
// What people chose outlives the session; "" follows the system.
(function () {
    let chosen = '';
    try {
        chosen = localStorage.getItem('portico-theme') || '';
    } catch {
        // Storage may be forbidden: then the system decides.
    }
    if (chosen)
        document.documentElement.dataset.theme = chosen;
})();
