window.Prism = { manual: true, disableWorkerMessageHandler: true }; // tokens only: the page builds its own elements
