"""How a request arrives and how an answer leaves. Knows neither tables nor rules."""
