// What Streamlit's markup leaves out and its options cannot add: roles and keyboard stops that WCAG 2.2 AA asks for.
// Streamlit draws the page anew whenever it likes, so this looks again after each change. It only sets attributes.
if (!window.heedAccessible) {
  window.heedAccessible = true
  const set = (element, attributes) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (element.getAttribute(name) !== value) element.setAttribute(name, value)
    }
  }
  const each = (selector, repair) => document.querySelectorAll(selector).forEach(repair)
  const repair = () => {
    // The menu is a list whose sections are no list items: named groups of links instead (1.3.1).
    each('[data-testid="stSidebarNavItems"]', (list) => {
      set(list, { role: 'presentation' })
      list.querySelectorAll('li').forEach((item) => set(item, { role: 'presentation' }))
      list.querySelectorAll(':scope > div').forEach((section) => {
        const name = section.querySelector('[data-testid="stNavSectionHeader"] [data-testid="stMarkdownContainer"]')
        if (name) set(section, { role: 'group', 'aria-label': name.textContent })
      })
    })
    // A table or a command wider than a phone scrolls sideways; the keyboard has to get there to scroll it (2.1.1).
    each('[data-testid="stTable"] > div, [data-testid="stCode"] pre', (frame) => {
      if (frame.scrollWidth > frame.clientWidth) {
        const name = frame.querySelector('table')?.getAttribute('aria-label') || frame.textContent.slice(0, 80)
        set(frame, { role: 'group', tabindex: '0', 'aria-label': name })
      } else if (frame.hasAttribute('tabindex')) {
        for (const attribute of ['role', 'tabindex', 'aria-label']) frame.removeAttribute(attribute)
      }
    })
    // A named place to drop a file cannot also be mere decoration (4.1.2).
    each('[data-testid="stFileUploaderDropzone"][role="presentation"]', (zone) => set(zone, { role: 'group' }))
  }
  let asked = false
  const look = () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      repair()
    })
  }
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true })
  window.addEventListener('resize', look)
  look()
}
