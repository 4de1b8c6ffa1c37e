#!/usr/bin/env escript
%%! -noinput +S 1 +sbwt none +sbwtdcpu none +sbwtdio none
%% Calls a second of CPU time of a gen_server, one after another; a line for each round.
-mode(compile).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

init(State) -> {ok, State}.
handle_call(Request, _From, State) -> {reply, Request, State}.
handle_cast(_Message, State) -> {noreply, State}.

calls(_Server, 0) -> ok;
calls(Server, Left) ->
    Left = gen_server:call(Server, Left),
    calls(Server, Left - 1).

main(_) ->
    {ok, Server} = gen_server:start_link(?MODULE, [], []),
    calls(Server, 200000),
    [begin
         statistics(runtime),
         calls(Server, 500000),
         {_, Milliseconds} = statistics(runtime),
         io:format("~w~n", [round(500000 * 1000 / Milliseconds)])
     end || _ <- lists:seq(1, 5)].
