// The query console: a token for this tab, and GraphiQL sending it. No other host is ever asked.
(function () {
  "use strict";

  var KEY = "sanlian.token";
  var field = document.getElementById("token");
  var state = document.getElementById("state");
  var root = ReactDOM.createRoot(document.getElementById("graphiql"));
  var rounds = 0;

  var WELCOME = [
    "# 三联查询控制台",
    "#",
    "# 1. 在上方粘贴访问令牌；",
    "# 2. 在此书写查询，Ctrl-Enter 执行；",
    "# 3. 左侧书本图标是接口文档，Ctrl-Space 补全字段。",
    "",
    "query {",
    "  __typename",
    "}",
    "",
  ].join("\n");

  function token() {
    return sessionStorage.getItem(KEY) || "";
  }

  function told(message) {
    return { errors: [{ message: message }] };
  }

  function fetcher(request) {
    if (!token()) {
      return Promise.resolve(told("请先在页面上方粘贴访问令牌。"));
    }
    return fetch("/graphql", {
      method: "POST",
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      headers: {
        "content-type": "application/json",
        "accept": "application/graphql-response+json, application/json;q=0.9",
        "authorization": "Bearer " + token(),
      },
      body: JSON.stringify({
        query: request.query,
        variables: request.variables || null,
        operationName: request.operationName || null,
      }),
    }).then(function (response) {
      if (response.status === 401) {
        state.textContent = "令牌无效或已过期";
      } else if (response.ok) {
        state.textContent = "已连接";
      }
      return response.json();
    }).catch(function () {
      return told("连不上服务，请检查网络后重试。");
    });
  }

  function render() {
    rounds += 1; // a new key mounts GraphiQL anew, so that it reads the schema with the new token
    root.render(React.createElement(GraphiQL, {
      key: rounds,
      fetcher: fetcher,
      defaultQuery: WELCOME,
      // Queries and variables may name people: they stay in this tab and go when it closes.
      storage: sessionStorage,
      shouldPersistHeaders: false,
      isHeadersEditorEnabled: false,
      defaultEditorToolsVisibility: "variables",
    }));
  }

  document.getElementById("sign-in").addEventListener("submit", function (event) {
    event.preventDefault();
    var given = field.value.trim().replace(/^Bearer\s+/i, "");
    if (given) {
      sessionStorage.setItem(KEY, given);
      field.value = "";
      state.textContent = "正在连接…";
      render();
    }
  });

  document.getElementById("sign-out").addEventListener("click", function () {
    sessionStorage.clear();
    field.value = "";
    state.textContent = "未登录";
    render();
  });

  state.textContent = token() ? "正在连接…" : "未登录";
  render();
})();
